/* Histories of a mailbox by a seed. */
#include "support/model/model_internal.h"

enum {
	FOLDERS_MAX = 24, /* of one account; more are not made */
	MESSAGES_MAX = 400,
	LINE_LETTERS = 60,
	MESSAGE_NAMES = 40, /* few, so that copies and equal Message-IDs come */
};

uint64_t model_rng_next(uint64_t *rng)
{
	uint64_t z = (*rng += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint32_t model_rng_below(uint64_t *rng, uint32_t below)
{
	return (uint32_t)(((model_rng_next(rng) >> 32) * below) >> 32);
}

static const char *const components[] = {"Work", "Sent", "a b", "&AOk-t&AOk-", "it's 100 %",
	"say \"\" \\", "[Gmail]", "..", "&ZeVnLIqe-", "Trash", "list*", "work", "&-", "x"};
static const char *const special_uses[] = {"\\Sent", "\\Trash", "\\Drafts", "\\Archive", "\\Junk"};
static const char *const flags[] = {"\\Seen", "\\Answered", "\\Flagged", "\\Draft", "\\Deleted",
	"$Forwarded", "$MDNSent", "work", "Junk", "NonJunk"};
static const char *const dates[] = {"17-Jul-1996 02:44:25 -0700", " 1-Jan-2000 00:00:00 +0000",
	"29-Feb-2024 23:59:59 +1400", "31-Dec-1969 23:59:59 +0000", "15-Nov-2026 10:11:12 +0530"};

static void add_lines(uint64_t *rng, struct buf *out, unsigned lines, bool base64)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	bool ok = true;

	for (unsigned i = 0; i < lines; i++) {
		unsigned len = base64 ? LINE_LETTERS : model_rng_below(rng, LINE_LETTERS);

		for (unsigned j = 0; j < len; j++) {
			uint8_t letter = (uint8_t)letters[model_rng_below(rng, 64)];
			ok = ok && buf_add_byte(out, !base64 && j % 7 == 6 ? ' ' : letter);
		}
		ok = ok && buf_add_str(out, "\r\n");
	}
	assert(ok);
}

static void add_attachment(uint64_t *rng, struct buf *out)
{
	uint64_t same = model_rng_below(rng, 8); /* the same few again and again */
	bool ok = buf_add_str(out,
		"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=frontier\r\n\r\n"
		"--frontier\r\n\r\nhello\r\n--frontier\r\nContent-Type: application/pdf\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n");

	assert(ok);
	add_lines(&same, out, 10 + (unsigned)same % 60, true);
	ok = buf_add_str(out, "--frontier--\r\n");
	assert(ok);
}

void model_random_message(uint64_t *rng, struct buf *out)
{
	static const char *const strange[] = {"", "\r\n", "no header at all", "A: b",
		"A: b\n\nbare LF\n", "Subject: \xe9t\xe9\r\n\r\n\xff\xfe\x80\r\n",
		": no name\r\n\r\n",
		"From nobody Thu Jan  1\r\nA: b\r\n\r\n.\r\n..\r\nFrom here\r\n", "\r\r\n\r\n\r"};
	unsigned kind = model_rng_below(rng, 16);
	bool ok;

	if (kind == 0) {
		ok = buf_add_str(out, strange[model_rng_below(rng, ARRAY_LEN(strange))]);
		assert(ok);
		return;
	}
	ok = buf_printf(out,
		"From: someone <s%u@example.org>\r\nMessage-ID: <m%u@example.org>\r\n"
		"Subject: number %u\r\n",
		(unsigned)model_rng_below(rng, 10), (unsigned)model_rng_below(rng, MESSAGE_NAMES),
		(unsigned)model_rng_below(rng, 1000));
	assert(ok);
	if (kind < 5) {
		add_attachment(rng, out);
		return;
	}
	ok = buf_add_str(out, "\r\n");
	assert(ok);
	add_lines(rng, out, model_rng_below(rng, kind == 15 ? 400 : 20), false);
}

static struct model_folder *random_folder(struct model_account *account, uint64_t *rng)
{
	struct model_folder *folder = NULL;

	for (unsigned i = 0; i < 8; i++) {
		folder = &account->folders[model_rng_below(rng, (uint32_t)account->count)];
		if (!folder->noselect)
			return folder;
	}
	return box_folder(account, "INBOX");
}

static char *random_name(const struct model *model, struct model_account *account, uint64_t *rng)
{
	const char *last = components[model_rng_below(rng, ARRAY_LEN(components))];
	const struct model_folder *above =
		&account->folders[model_rng_below(rng, (uint32_t)account->count)];
	char delimiter = model->profile.delimiter;

	if (delimiter && model_rng_below(rng, 3) == 0 && strlen(above->name) < 100 &&
		(!box_is_inbox(above->name) || model->profile.prefix[0]))
		return str_printf("%s%c%s", above->name, delimiter, last);
	return str_printf("%s%s", model->profile.prefix, last);
}

static char *random_flags(uint64_t *rng)
{
	uint64_t choice = model_rng_next(rng) & model_rng_next(rng);
	struct buf text = BUF_INIT(MODEL_NAME_MAX);
	bool ok = buf_add_str(&text, "");

	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (choice & (1u << i))
			ok = ok && buf_printf(&text, "%s ", flags[i]);
	assert(ok);
	return text.data ? buf_take_str(&text) : xstrdup("");
}

static const char *random_add(struct model_account *account, uint64_t *rng)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT(MODEL_COMMAND_MAX);
	CLEANUP(freep) char *set = random_flags(rng);
	struct model_folder *folder = random_folder(account, rng);
	struct model_letter letter = {
		.flags = set, .date = dates[model_rng_below(rng, ARRAY_LEN(dates))]};

	if (folder->count >= MESSAGES_MAX)
		return "nothing: the folder is full";
	model_random_message(rng, &bytes);
	letter.bytes = bytes.data;
	letter.len = bytes.len;
	(void)box_add(folder, &letter);
	return "add a message";
}

static const char *random_copy(struct model_account *account, uint64_t *rng, bool move)
{
	struct model_folder *from = random_folder(account, rng), *to = random_folder(account, rng);
	struct model_message *message;

	if (!from->count || from == to || to->count >= MESSAGES_MAX)
		return "nothing: no message to copy";
	message = &from->messages[model_rng_below(rng, (uint32_t)from->count)];
	(void)box_add(to, &(struct model_letter){.bytes = message->bytes,
				  .len = message->len,
				  .flags = message->flags,
				  .date = message->date});
	if (move)
		box_expunge(from, message, 0);
	return move ? "move a message" : "copy a message";
}

static const char *random_expunge(struct model_account *account, uint64_t *rng)
{
	struct model_folder *folder = random_folder(account, rng);

	if (!folder->count)
		return "nothing: no message to expunge";
	box_expunge(folder, &folder->messages[model_rng_below(rng, (uint32_t)folder->count)], 0);
	return "expunge a message";
}

static const char *random_flag(struct model_account *account, uint64_t *rng)
{
	CLEANUP(freep) char *set = random_flags(rng);
	struct model_folder *folder = random_folder(account, rng);

	if (!folder->count)
		return "nothing: no message to flag";
	box_set_flags(
		folder, &folder->messages[model_rng_below(rng, (uint32_t)folder->count)], set);
	return "change flags";
}

static const char *random_create(struct model *model, struct model_account *account, uint64_t *rng)
{
	CLEANUP(freep) char *name = random_name(model, account, rng);
	const char *use = special_uses[model_rng_below(rng, ARRAY_LEN(special_uses))];
	struct model_folder *folder = NULL;

	if (account->count < FOLDERS_MAX)
		folder = box_create(model, account, name);
	if (!folder)
		return "nothing: no folder to create";
	if (model_rng_below(rng, 4) == 0 && !folder->special_use)
		folder->special_use = xstrdup(use);
	return "create a folder";
}

static const char *random_delete(struct model *model, struct model_account *account, uint64_t *rng)
{
	CLEANUP(freep) char *name = xstrdup(random_folder(account, rng)->name);

	return box_delete(model, account, name) ? "delete a folder"
						: "nothing: no folder to delete";
}

static const char *random_rename(struct model *model, struct model_account *account, uint64_t *rng)
{
	CLEANUP(freep) char *from = xstrdup(random_folder(account, rng)->name);
	CLEANUP(freep) char *to = random_name(model, account, rng);

	return box_rename(model, account, from, to) ? "rename a folder"
						    : "nothing: no folder to rename";
}

static const char *random_subscribe(struct model_account *account, uint64_t *rng)
{
	const char *name = random_folder(account, rng)->name;

	box_subscribe(account, name, !box_subscribed(account, name));
	return "change a subscription";
}

static const char *random_step(struct model *model, struct model_account *account, uint64_t *rng)
{
	unsigned dice = model_rng_below(rng, 100);

	if (dice < 45)
		return random_add(account, rng);
	if (dice < 60)
		return random_flag(account, rng);
	if (dice < 72)
		return random_expunge(account, rng);
	if (dice < 82)
		return random_copy(account, rng, dice < 77);
	if (dice < 88)
		return random_create(model, account, rng);
	if (dice < 91)
		return random_subscribe(account, rng);
	if (dice < 95)
		return random_rename(model, account, rng);
	if (dice < 98)
		return random_delete(model, account, rng);
	box_reset(model, random_folder(account, rng));
	return "reset UIDVALIDITY";
}

const char *model_random_step(struct model *model, const char *user, uint64_t *rng)
{
	model_lock(model);
	const char *done = random_step(model, box_account_must(model, user), rng);
	session_wake_all(model);
	model_unlock(model);
	return done;
}
