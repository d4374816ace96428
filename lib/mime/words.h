/* Encoded words of header fields (RFC 2047): "=?charset?q?...?=" and "?b?". */
#ifndef MAILSTOW_MIME_WORDS_H
#define MAILSTOW_MIME_WORDS_H

/*
 * The text with its encoded words decoded to UTF-8 (iconv); blanks between two encoded words go.
 * A word that cannot be decoded, or whose charset is not known, stays as written. Controls are
 * removed. May hold invalid UTF-8 where the input did. The caller frees.
 */
char *words_decode(const char *text);

#endif
