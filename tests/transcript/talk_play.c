#include "transcript/talk_play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "imap/limits.h"
#include "transcript/talk.h"

enum { SCRIPT_MAX = 1024 * 1024, STATUS_LINE_MAX = 256 };

static const struct step {
	const char *name;
	talk_step *play;
	bool needs_session;
} steps[] = {
	{"login", talk_login, false},
	{"connect", talk_connect, false},
	{"logout", talk_logout, true},
	{"noop", talk_noop, true},
	{"cancel", talk_cancel, false},
	{"caps", talk_show_caps, true},
	{"namespace", talk_show_namespace, true},
	{"extensions", talk_show_extensions, true},
	{"wire-log", talk_show_wire_log, false},
	{"secrets", talk_find_secrets, false},
	{"list", talk_list, true},
	{"examine", talk_examine, true},
	{"select", talk_select, true},
	{"unselect", talk_unselect, true},
	{"news", talk_news, true},
	{"search", talk_search, true},
	{"fetch", talk_fetch, true},
	{"count", talk_count, true},
	{"idle", talk_idle, true},
	{"drain", talk_drain, true},
	{"park", talk_park, true},
	{"wait", talk_wait, true},
	{"done", talk_done, true},
	{"append", talk_append, true},
	{"pending", talk_pending, true},
	{"result", talk_result, true},
	{"create", talk_create, true},
	{"subscribe", talk_subscribe, true},
	{"store", talk_store, true},
};

/* What the lines set besides steps and expectations. */
struct plan {
	struct buf script;
	const char *complaint; /* of the script, a pattern */
	size_t complaint_line;
	uint64_t memory_mb; /* 0: any */
	size_t memory_line;
	bool cut;   /* play it again for every byte the server sends, cut after it */
	bool steps; /* there is a "do:" */
};

/* The state of a conversation being played. */
struct performance {
	struct talk talk;
	const struct plan *plan;
	size_t step_line; /* of the current step; 0: none yet */
	bool implied;     /* the current step is of an opening */
	size_t matched;   /* results of it that were expected */
	uint64_t cut;     /* bytes; 0: not cut */
	bool ended;       /* the cut was noticed */
	bool show;
	long memory_kb; /* before the first step that is not implied */
	struct talk_failure *failure;
};

/* --- the plan --- */

static void plan_free(struct plan *plan)
{
	buf_free(&plan->script);
}

static bool plan_memory(struct plan *plan, const struct talk_line *line)
{
	CLEANUP(freep) char *number = xstrdup(line->text + strlen("memory: "));
	char *unit = strstr(number, " MB");

	if (!unit || strcmp(unit, " MB") != 0)
		return false;
	*unit = '\0';
	plan->memory_line = line->number;
	return str_parse_u64(number, &plan->memory_mb) && plan->memory_mb > 0;
}

static bool plan_line(struct plan *plan, const struct talk_line *line, struct talk_failure *failure)
{
	const char *text = line->text;

	if (text[0] && strchr(SCRIPT_STEPS, text[0]) && text[1] == ':')
		return (buf_add_str(&plan->script, text) && buf_add_byte(&plan->script, '\n')) ||
		       talk_fail(failure, line->number, "the script is too long");
	if (str_starts(text, "do: "))
		return plan->steps = true;
	if (str_starts(text, "implied: ") || str_starts(text, "expect: ") ||
		str_starts(text, "error: "))
		return true;
	if (strcmp(text, "cut: every byte") == 0)
		return plan->cut = true;
	if (str_starts(text, "memory: ") && !plan->memory_mb && plan_memory(plan, line))
		return true;
	if (str_starts(text, "complaint: ") && !plan->complaint) {
		plan->complaint = text + strlen("complaint: ");
		plan->complaint_line = line->number;
		return true;
	}
	return talk_fail(failure, line->number, "unknown line: %s", text);
}

static bool plan_lines(
	struct plan *plan, const struct talk_lines *lines, struct talk_failure *failure)
{
	buf_init(&plan->script, SCRIPT_MAX);
	for (size_t i = 0; i < lines->count; i++)
		if (!plan_line(plan, &lines->items[i], failure))
			return false;
	if (!plan->steps)
		return talk_fail(failure, lines->items[0].number, "a conversation without \"do:\"");
	return true;
}

/* --- a step --- */

/*
 * The most that was resident since forget_peak(). Not ru_maxrss, which begins with what the parent
 * had before exec.
 */
static long peak_kb(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[STATUS_LINE_MAX];
	long kb = 0;

	while (status && fgets(line, sizeof(line), status))
		if (str_starts(line, "VmHWM:"))
			kb = strtol(line + strlen("VmHWM:"), NULL, 10);
	if (status)
		(void)fclose(status);
	return kb;
}

static void forget_peak(void)
{
	FILE *refs = fopen("/proc/self/clear_refs", "w");

	if (refs) {
		(void)fputs("5", refs);
		(void)fclose(refs);
	}
}

static bool is_error(const char *result)
{
	return str_starts(result, "error: ");
}

/* An error text must be fit to print and hold no secret. */
static bool check_error_text(struct performance *on)
{
	const char *text = on->talk.err.text;
	CLEANUP(freep) char *printable = str_printable(text, strlen(text), 2 * ERR_TEXT_MAX);

	if (strcmp(printable, text) != 0)
		return talk_fail(on->failure, on->step_line, "not fit to print: %s", printable);
	if (strstr(text, TALK_PASSWORD))
		return talk_fail(on->failure, on->step_line, "shows the password: %s", text);
	return true;
}

/* "error: ERR_NO_SPACE text" */
static bool add_error(struct performance *on)
{
	CLEANUP(freep) char *kind = str_printf("%s", err_kind_name(on->talk.err.kind));

	for (char *c = kind; *c; c++)
		*c = *c == '-' ? '_' : (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
	str_list_take(&on->talk.results, str_printf("error: ERR_%s %s", kind, on->talk.err.text));
	return check_error_text(on);
}

/* A result that no line expects is a failure. In a cut conversation ERR_RETRY ends it instead. */
static bool finish_step(struct performance *on)
{
	const struct str_list *results = &on->talk.results;

	for (; on->matched < results->count; on->matched++) {
		const char *result = results->items[on->matched];

		if (on->implied && !is_error(result))
			continue;
		if (on->cut && (on->ended || str_starts(result, "expect: half a body ")))
			continue;
		if (on->cut && str_starts(result, "error: ERR_RETRY "))
			on->ended = true;
		else
			return talk_fail(on->failure, on->step_line, "not expected: %s", result);
	}
	return true;
}

static const struct step *find_step(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (strcmp(steps[i].name, name) == 0)
			return &steps[i];
	return NULL;
}

static bool play_words(struct performance *on, const char *words)
{
	CLEANUP(talk_args_free) struct talk_args args = talk_args_split(words);
	const struct step *step = find_step(talk_args_word(&args));
	bool done;

	if (!step)
		return talk_fail(on->failure, on->step_line, "unknown step: %s", words);
	if (step->needs_session && !on->talk.imap)
		return talk_fail(on->failure, on->step_line, "no session for: %s", words);
	err_clear(&on->talk.err);
	done = step->play(&on->talk, &args);
	if (args.wrong || talk_args_left(&args))
		return talk_fail(on->failure, on->step_line, "%s: %s", words,
			args.wrong ? args.wrong : "too many words");
	return done || add_error(on);
}

static bool play_step(struct performance *on, const struct talk_line *line)
{
	on->implied = str_starts(line->text, "implied: ");
	on->step_line = line->number;
	on->matched = 0;
	str_list_free(&on->talk.results);
	if (!on->implied && !on->memory_kb) {
		forget_peak();
		on->memory_kb = peak_kb();
	}
	if (!play_words(on, line->text + (on->implied ? strlen("implied: ") : strlen("do: "))))
		return false;
	for (size_t i = 0; on->show && i < on->talk.results.count; i++)
		(void)printf("# %zu: %s\n", line->number, on->talk.results.items[i]);
	return true;
}

/* "error: ERR_RETRY" alone leaves the text open. */
static bool is_expected(const char *pattern, const char *result)
{
	size_t len = strlen(pattern);

	if (is_error(pattern) && !strchr(pattern + strlen("error: "), ' '))
		return strncmp(result, pattern, len) == 0 && result[len] == ' ';
	return script_matches(pattern, result);
}

static bool match_line(struct performance *on, const struct talk_line *line)
{
	const struct str_list *results = &on->talk.results;
	const char *result = on->matched < results->count ? results->items[on->matched] : "nothing";

	if (!on->implied && on->step_line && is_expected(line->text, result)) {
		on->matched++;
		return true;
	}
	if (on->cut && (is_error(result) || str_starts(result, "expect: half a body ")))
		return finish_step(on);
	return talk_fail(on->failure, line->number, "%s: came instead: %s", line->text, result);
}

/* --- the end --- */

/* RFC 7162 section 4. No literal in a conversation has a line this long. */
static bool check_command_lines(struct performance *on)
{
	const char *line = script_plain(on->talk.script);

	for (; *line; line += strcspn(line, "\n") + (strchr(line, '\n') != NULL))
		if (strcspn(line, "\n") >= IMAP_COMMAND_BYTES_MAX)
			return talk_fail(on->failure, on->step_line, "a command line of %zu bytes",
				strcspn(line, "\n"));
	return true;
}

static bool check_end(struct performance *on)
{
	const struct plan *plan = on->plan;
	const char *complaint = script_complaint(on->talk.script);

	if (on->cut && !on->ended)
		return talk_fail(on->failure, on->step_line, "nothing noticed the cut");
	if (on->talk.scripted && !on->talk.played)
		return talk_fail(on->failure, on->step_line, "the script was not played");
	if (!on->cut && !script_matches(plan->complaint ? plan->complaint : "", complaint))
		return talk_fail(on->failure,
			plan->complaint ? plan->complaint_line : on->step_line,
			"complaint of the script: %s", complaint[0] ? complaint : "none");
	return check_command_lines(on);
}

static bool play_lines(struct performance *on, const struct talk_lines *lines)
{
	for (size_t i = 0; i < lines->count && !on->ended; i++) {
		const struct talk_line *line = &lines->items[i];
		bool is_step =
			str_starts(line->text, "do: ") || str_starts(line->text, "implied: ");
		bool is_result = str_starts(line->text, "expect: ") || is_error(line->text);

		if (is_step && (!finish_step(on) || (!on->ended && !play_step(on, line))))
			return false;
		if (is_result && !match_line(on, line))
			return false;
	}
	if (!finish_step(on))
		return false;
	if (on->plan->memory_mb && !on->memory_kb)
		return talk_fail(on->failure, on->plan->memory_line, "cannot be measured");
	if (on->plan->memory_mb && peak_kb() - on->memory_kb >= (long)on->plan->memory_mb * 1024)
		return talk_fail(on->failure, on->plan->memory_line, "took %ld kB",
			peak_kb() - on->memory_kb);
	return true;
}

static void end_performance(struct performance *on)
{
	struct talk *talk = &on->talk;

	talk_close(talk);
	script_freep(&talk->script);
	scram_server_free(&talk->scram);
	testcert_freep(&talk->cert);
	testcert_freep(&talk->ca);
	cancel_close(&talk->cancel);
	free(talk->wire_text);
	str_list_free(&talk->results);
}

/* cut: close after so many bytes; 0: never. */
static bool perform(const struct plan *plan, const struct talk_lines *lines, uint64_t cut,
	bool show, uint64_t *ret_sent, struct talk_failure *failure)
{
	struct performance on = {.plan = plan, .cut = cut, .show = show, .failure = failure};
	struct talk *talk = &on.talk;
	bool good = cancel_init(&talk->cancel, &talk->err) ||
		    talk_fail(failure, 0, "%s", talk->err.text);

	talk->script = script_new(buf_str(&plan->script));
	talk->scripted = plan->script.len > 0;
	script_cut(talk->script, cut);
	script_set_hook(talk->script, scram_server_answer, &talk->scram);
	good = good && play_lines(&on, lines);
	talk_close(talk);
	good = good && check_end(&on);
	*ret_sent = script_sent(talk->script);
	end_performance(&on);
	return good;
}

bool talk_play(const struct talk_lines *lines, bool show, struct talk_failure *failure)
{
	CLEANUP(plan_free) struct plan plan = {0};
	uint64_t whole, sent;

	if (!plan_lines(&plan, lines, failure) || !perform(&plan, lines, 0, show, &whole, failure))
		return false;
	for (uint64_t cut = 1; plan.cut && cut < whole; cut++)
		if (!perform(&plan, lines, cut, show, &sent, failure))
			return false;
	return true;
}
