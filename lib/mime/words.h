/* Encoded words of header fields (RFC 2047): "=?charset?q?...?=" and "?b?". */
#ifndef MAILSTOW_MIME_WORDS_H
#define MAILSTOW_MIME_WORDS_H

/*
 * Decodes the encoded words in text to UTF-8 (iconv) and drops blanks between two of them. Keeps a
 * word that it cannot decode, or whose charset it does not know, as written. Removes controls. The
 * result holds invalid UTF-8 where the input did. The caller frees.
 */
char *words_decode(const char *text);

#endif
