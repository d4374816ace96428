#include "restore/ui/entry_json.h"

#include "mime/date.h"

void entry_json_put(struct json *line, const struct archive_entry *entry)
{
	char sha256[SHA256_HEX_MAX];
	struct zoned_time date;

	sha256_hex(entry->sha256, sha256);
	json_put_text(line, "folder", entry->folder_path);
	json_put_int(line, "uidvalidity", entry->uidvalidity);
	json_put_int(line, "uid", entry->uid);
	json_put_count(line, "size", entry->size);
	json_put_text(line, "sha256", sha256);
	if (entry->has_date)
		json_put_zoned(line, "internaldate", entry->date);
	else
		json_put_null(line, "internaldate");
	json_put_words(line, "flags", entry->flags);
	json_put_time(line, "added", entry->added_ms);
	json_put_time(line, "gone", entry->gone_ms);
	json_put_text(line, "from", entry->from);
	json_put_text(line, "subject", entry->subject);
	if (mime_date_parse(entry->date_header, &date))
		json_put_zoned(line, "date", date);
	else
		json_put_null(line, "date");
	json_put_text(line, "message_id", entry->header_message_id);
}

void entry_json_print(const struct archive_entry *entry)
{
	struct json *line = json_begin();

	entry_json_put(line, entry);
	json_print(line);
}
