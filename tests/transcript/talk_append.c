/* Steps: append messages, create folders, add flags. */
#include <string.h>

#include "transcript/talk.h"

enum { PIECE_BYTES = 3 };

static const char *const statuses[] = {"OK", "NO", "BAD", "BYE", "PREAUTH"};

static const char *const codes[] = {
	[IMAP_CODE_NONE] = "",
	[IMAP_CODE_OTHER] = " [other]",
	[IMAP_CODE_ALERT] = " [ALERT]",
	[IMAP_CODE_CAPABILITY] = " [CAPABILITY]",
	[IMAP_CODE_UIDVALIDITY] = " [UIDVALIDITY]",
	[IMAP_CODE_UIDNEXT] = " [UIDNEXT]",
	[IMAP_CODE_HIGHESTMODSEQ] = " [HIGHESTMODSEQ]",
	[IMAP_CODE_NOMODSEQ] = " [NOMODSEQ]",
	[IMAP_CODE_PERMANENTFLAGS] = " [PERMANENTFLAGS]",
	[IMAP_CODE_READ_ONLY] = " [READ-ONLY]",
	[IMAP_CODE_READ_WRITE] = " [READ-WRITE]",
	[IMAP_CODE_CLOSED] = " [CLOSED]",
	[IMAP_CODE_APPENDUID] = " [APPENDUID]",
	[IMAP_CODE_TRYCREATE] = " [TRYCREATE]",
	[IMAP_CODE_AUTHENTICATIONFAILED] = " [AUTHENTICATIONFAILED]",
	[IMAP_CODE_AUTHORIZATIONFAILED] = " [AUTHORIZATIONFAILED]",
	[IMAP_CODE_UNAVAILABLE] = " [UNAVAILABLE]",
	[IMAP_CODE_LIMIT] = " [LIMIT]",
	[IMAP_CODE_INUSE] = " [INUSE]",
	[IMAP_CODE_OVERQUOTA] = " [OVERQUOTA]",
	[IMAP_CODE_ALREADYEXISTS] = " [ALREADYEXISTS]",
	[IMAP_CODE_NONEXISTENT] = " [NONEXISTENT]",
	[IMAP_CODE_CANNOT] = " [CANNOT]",
	[IMAP_CODE_TOOBIG] = " [TOOBIG]",
	[IMAP_CODE_REFERRAL] = " [REFERRAL]",
};

/* A message given out in small pieces. */
struct source {
	const char *text;
	size_t at;
};

static bool give(void *context, const uint8_t **ret_data, size_t *ret_len, struct err *err)
{
	struct source *source = context;
	size_t left = strlen(source->text) - source->at;

	(void)err;
	*ret_data = (const uint8_t *)source->text + source->at;
	*ret_len = left < PIECE_BYTES ? left : PIECE_BYTES;
	source->at += *ret_len;
	return true;
}

bool talk_append(struct talk *talk, struct talk_args *args)
{
	struct zoned_time date;
	struct source source = {0};
	struct imap_append append = {
		.wire_name = talk_args_word(args),
		.flags = talk_args_word(args),
		.read = give,
		.context = &source,
	};

	if (talk_args_take(args, "dated")) {
		const char *text = talk_args_word(args);

		append.date = &date;
		if (!zoned_time_parse_imap(text, strlen(text), &date))
			args->wrong = "not a date";
	}
	source.text = talk_args_word(args);
	append.size_bytes = strlen(source.text);
	return args->wrong || imap_append_send(talk->imap, &append, &talk->err);
}

bool talk_pending(struct talk *talk, struct talk_args *args)
{
	(void)args;
	talk_says(talk, "%zu", imap_append_pending(talk->imap));
	return true;
}

bool talk_result(struct talk *talk, struct talk_args *args)
{
	struct imap_append_result result;

	(void)args;
	if (!imap_append_result(talk->imap, &result, &talk->err))
		return false;
	talk_says(talk, "uidvalidity %u uid %u, %s%s%s%s", result.uidvalidity, result.uid,
		statuses[result.status], codes[result.code], result.text[0] ? " " : "",
		result.text);
	return true;
}

bool talk_create(struct talk *talk, struct talk_args *args)
{
	const char *name = talk_args_word(args);
	const char *use = talk_args_take(args, "use") ? talk_args_word(args) : NULL;
	bool exists = false;

	if (imap_create(talk->imap, name, use, &exists, &talk->err))
		return true;
	talk_says(talk, exists ? "exists" : "does not exist");
	return false;
}

bool talk_subscribe(struct talk *talk, struct talk_args *args)
{
	return imap_subscribe(talk->imap, talk_args_word(args), &talk->err);
}

bool talk_store(struct talk *talk, struct talk_args *args)
{
	uint32_t uid = (uint32_t)talk_args_number(args);

	return imap_store_flags(talk->imap, uid, talk_args_word(args), &talk->err);
}
