#include "support/restore/power_journal.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "restore/upload/restore_journal.h"
#include "support/check.h"
#include "support/crash/power_log.h"

enum { MESSAGES = 12, AT_ONCE = 3, VALIDITY = 7, FIRST_UID = 100, SIZE = 1000 };

static const char folder[] = "INBOX";

static char *journal_in(const char *place)
{
	return str_printf("%s/restore/journal.db", place);
}

static bool open_journal(const char *place, struct restore_journal **ret_journal, struct err *err)
{
	static const uint8_t key[32] = "of the journal alone";
	CLEANUP(freep) char *path = journal_in(place);
	bool encrypted = getenv("MAILSTOW_TEST_ENCRYPTED") != NULL;

	return restore_journal_open_encrypted(path, encrypted ? key : NULL, ret_journal, err);
}

/* What the journal knows of each message, by its number. */
struct known {
	int64_t id; /* 0: nothing */
	bool done;
};

static bool note(void *context, const struct journal_row *row, struct err *err)
{
	struct known *known = context;
	unsigned number = row->sha256[0];

	(void)err;
	CHECK(number < MESSAGES && known[number].id == 0);
	CHECK(row->uid == 0 || row->uid == FIRST_UID + number);
	CHECK(row->uidvalidity == VALIDITY && (!row->seen || row->size == SIZE + number));
	known[number] = (struct known){row->id, row->uid != 0};
	return true;
}

static bool write_down(
	struct restore_journal *journal, unsigned number, int64_t *ret_id, struct err *err)
{
	const struct journal_row row = {
		.uidvalidity = VALIDITY, .uidnext = FIRST_UID, .sha256 = {(uint8_t)number}};

	return restore_journal_pending(journal, folder, &row, ret_id, err);
}

static bool send(
	struct restore_journal *journal, unsigned number, struct known *known, struct err *err)
{
	if (known->done)
		return true;
	known->done = true;
	return restore_journal_done(journal, known->id, VALIDITY, FIRST_UID + number, err) &&
	       restore_journal_seen(journal, known->id, SIZE + number, 0, err);
}

static bool send_some(
	struct restore_journal *journal, unsigned first, struct known *known, struct err *err)
{
	for (unsigned number = first; number < first + AT_ONCE; number++)
		if (known[number].id == 0 && !write_down(journal, number, &known[number].id, err))
			return false;
	if (!restore_journal_commit(journal, err))
		return false;
	power_log_acknowledge();
	for (unsigned number = first; number < first + AT_ONCE; number++)
		if (!send(journal, number, &known[number], err))
			return false;
	return true;
}

bool power_journal(const char *place, struct err *err)
{
	CLEANUP(restore_journal_freep) struct restore_journal *journal = NULL;
	struct known known[MESSAGES] = {{0}};

	if (!open_journal(place, &journal, err) ||
		!restore_journal_each(journal, folder, note, known, err))
		return false;
	for (unsigned first = 0; first < MESSAGES; first += AT_ONCE)
		if (!send_some(journal, first, known, err))
			return false;
	return restore_journal_commit(journal, err);
}

void power_prepare_damaged(const char *place)
{
	static const char zeros[4096];
	CLEANUP(restore_journal_freep) struct restore_journal *journal = NULL;
	CLEANUP(freep) char *path = journal_in(place);
	CLEANUP(freep) char *wal = str_printf("%s-wal", path);
	CLEANUP(freep) char *aside = str_printf("%s/aside", place);
	uint64_t bytes;
	int64_t id;
	struct err err = ERR_INIT;

	CHECK_OK(open_journal(place, &journal, &err));
	CHECK_OK(write_down(journal, 0, &id, &err));
	CHECK_OK(restore_journal_commit(journal, &err));
	CHECK_OK(fs_copy(wal, aside, &bytes, &err));
	restore_journal_freep(&journal);
	CHECK_OK(fs_rename(aside, wal, &err));
	CHECK_OK(fs_write_atomic(path, zeros, sizeof(zeros), 0600, &err));
}

/* The messages that may have been sent. Their outcome may be lost; a restore finds it again. */
char *power_tell_journal(const char *place)
{
	CLEANUP(restore_journal_freep) struct restore_journal *journal = NULL;
	struct known known[MESSAGES] = {{0}};
	char text[MESSAGES + 1];
	struct err err = ERR_INIT;

	CHECK_OK(open_journal(place, &journal, &err));
	CHECK_OK(restore_journal_each(journal, folder, note, known, &err));
	for (unsigned number = 0; number < MESSAGES; number++)
		text[number] = known[number].id ? 'x' : '-';
	text[MESSAGES] = '\0';
	return xstrdup(text);
}

void power_check_journal(const char *place)
{
	free(power_tell_journal(place));
}
