#include "transcript/talk_args.h"

#include <string.h>

#include "base/alloc.h"
#include "imap/seqset.h"
#include "support/imap/script.h"

/* The first character after a word in quotes or parentheses. NULL: the word does not end. */
static const char *end_of(const char *text)
{
	char last = *text == '(' ? ')' : '"';

	for (text++; *text && *text != last; text++)
		if (last == '"' && *text == '\\' && text[1])
			text++;
	return *text ? text + 1 : NULL;
}

struct talk_args talk_args_split(const char *text)
{
	struct talk_args args = {0};

	while (*text) {
		bool quoted = *text == '"' || *text == '(';
		const char *end = quoted ? end_of(text) : text + strcspn(text, " ");
		CLEANUP(freep) char *inner = NULL;

		if (!end || (*end && *end != ' ')) {
			args.wrong = "a word does not end";
			return args;
		}
		inner = xstrndup(text + quoted, (size_t)(end - text) - 2 * (size_t)quoted);
		if (*text == '"')
			str_list_take(&args.words, script_unescape(inner, NULL));
		else
			str_list_add(&args.words, inner);
		text = end + (*end == ' ');
	}
	return args;
}

void talk_args_free(struct talk_args *args)
{
	str_list_free(&args->words);
}

bool talk_args_left(const struct talk_args *args)
{
	return args->next < args->words.count;
}

const char *talk_args_word(struct talk_args *args)
{
	if (talk_args_left(args))
		return args->words.items[args->next++];
	args->wrong = "a word is missing";
	return "";
}

bool talk_args_take(struct talk_args *args, const char *word)
{
	bool is = talk_args_left(args) && strcmp(args->words.items[args->next], word) == 0;

	args->next += is;
	return is;
}

uint64_t talk_args_number(struct talk_args *args)
{
	uint64_t number = 0;

	if (!str_parse_u64(talk_args_word(args), &number))
		args->wrong = "not a number";
	return number;
}

void talk_args_uids(struct talk_args *args, struct rangeset *ret_uids)
{
	const char *word = talk_args_word(args), *slash = strchr(word, '/');
	CLEANUP(rangeset_free) struct rangeset all = {0};
	uint64_t step;

	if (!slash) {
		if (!seqset_parse(word, strlen(word), ret_uids, NULL))
			args->wrong = "not a set of UIDs";
		return;
	}
	if (!seqset_parse(word, (size_t)(slash - word), &all, NULL) || all.count != 1 ||
		!str_parse_u64(slash + 1, &step) || step == 0)
		args->wrong = "not FIRST:LAST/STEP";
	else
		for (uint64_t uid = all.items[0].first; uid <= all.items[0].last; uid += step)
			rangeset_add(ret_uids, (uint32_t)uid, (uint32_t)uid);
}
