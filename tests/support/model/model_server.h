/*
 * An IMAP server in the test's own process: mailboxes a test can change and look into, behind
 * sockets of 127.0.0.1 or socket pairs, with switches for what it offers, for how it misbehaves
 * and for where a connection breaks. It shares no code with lib/imap: its reading of RFC 3501,
 * 5161, 5258, 5819, 6154, 7162 and the others is an independent opinion.
 *
 *	struct model *model = model_new(&model_profile_full);
 *	model_account_add(model, "alice", "secret", MODEL_MIRROR);
 *	model_message_add(model, "alice", "INBOX", &(struct model_letter){.bytes = "A: b\r\n\r\n"});
 *	uint16_t port = model_listen(model);
 *	...
 *	CHECK_INT(model_violations(model, NULL), 0);
 *	model_freep(&model);
 *
 * Thread safe: every function may be called from any thread; one lock guards the state. A call
 * that names an account, folder or message that is not there is a bug of the test and aborts,
 * unless its comment says otherwise. Folder names are wire names (modified UTF-7, with prefix).
 */
#ifndef MAILSTOW_TESTS_SUPPORT_MODEL_MODEL_SERVER_H
#define MAILSTOW_TESTS_SUPPORT_MODEL_MODEL_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct model;

enum {
	MODEL_PORT_MIN = 20000,
	MODEL_PORT_MAX = 31999,
	MODEL_LITERAL_MAX = 64 * 1024 * 1024, /* bytes of one APPEND */
	MODEL_COMMAND_MAX = 80 * 1024 * 1024, /* of one command with its literals */
	MODEL_LOG_MAX = 100 * 1000,           /* commands kept in the log */
};

/* --- what the server offers and how it misbehaves --- */

enum model_cap {
	MODEL_CAP_SASL_IR = 1 << 0,
	MODEL_CAP_LITERAL_PLUS = 1 << 1,
	MODEL_CAP_LITERAL_MINUS = 1 << 2,
	MODEL_CAP_ID = 1 << 3,
	MODEL_CAP_ENABLE = 1 << 4,
	MODEL_CAP_NAMESPACE = 1 << 5,
	MODEL_CAP_LIST_EXTENDED = 1 << 6,
	MODEL_CAP_LIST_STATUS = 1 << 7,
	MODEL_CAP_SPECIAL_USE = 1 << 8,
	MODEL_CAP_CREATE_SPECIAL_USE = 1 << 9,
	MODEL_CAP_CONDSTORE = 1 << 10,
	MODEL_CAP_QRESYNC = 1 << 11,
	MODEL_CAP_UIDPLUS = 1 << 12,
	MODEL_CAP_ESEARCH = 1 << 13,
	MODEL_CAP_IDLE = 1 << 14,
	MODEL_CAP_MULTIAPPEND = 1 << 15,
	MODEL_CAP_UNSELECT = 1 << 16,
	MODEL_CAP_CHILDREN = 1 << 17,
	MODEL_CAP_LOGINDISABLED = 1 << 18, /* AUTHENTICATE PLAIN only */
	MODEL_CAP_NO_AUTH_PLAIN = 1 << 19, /* LOGIN only */
};

enum model_quirk {
	MODEL_QUIRK_NO_UIDNEXT = 1 << 0,      /* EXAMINE and SELECT do not tell UIDNEXT */
	MODEL_QUIRK_SILENT_ENABLE = 1 << 1,   /* ENABLE works, without "* ENABLED" */
	MODEL_QUIRK_REORDERED_ITEMS = 1 << 2, /* FETCH items in the opposite order */
	MODEL_QUIRK_UNSOLICITED_FETCH = 1
					<< 3, /* "* n FETCH (FLAGS ...)" without UID now and then */
	MODEL_QUIRK_WRONG_SIZE = 1 << 4,      /* RFC822.SIZE is 7 too much */
	MODEL_QUIRK_APPEND_NO_KEYWORDS = 1 << 5,   /* APPEND with a keyword: NO */
	MODEL_QUIRK_APPEND_NO_DATE = 1 << 6,       /* APPEND with a date: NO */
	MODEL_QUIRK_APPEND_MUNGES_8BIT = 1 << 7,   /* 8-bit bytes in the header become 'X' */
	MODEL_QUIRK_APPEND_IGNORES_DATE = 1 << 8,  /* the date becomes the server's */
	MODEL_QUIRK_NO_TRYCREATE = 1 << 9,         /* APPEND to a missing folder: NO without code */
	MODEL_QUIRK_NOMODSEQ = 1 << 10,            /* folders have no HIGHESTMODSEQ */
	MODEL_QUIRK_EMPTY_SEARCH_SILENT = 1 << 11, /* nothing found: no "* SEARCH" at all */
	MODEL_QUIRK_NO_CAPABILITY_CODES = 1 << 12, /* only the CAPABILITY command tells */
	MODEL_QUIRK_LITERAL_NAMES = 1 << 13,       /* folder names in answers are literals */
	MODEL_QUIRK_ATOM_NAMES = 1 << 14,          /* ... atoms where possible */
	MODEL_QUIRK_CODES_WITHOUT_TEXT = 1 << 15,  /* "* OK [HIGHESTMODSEQ 7]" and nothing more */
	MODEL_QUIRK_RECENT = 1 << 16,              /* every message is \Recent */
	MODEL_QUIRK_NO_STATUS_OF_SELECTED = 1 << 17,
	MODEL_QUIRK_NO_NEW_KEYWORDS = 1 << 18, /* PERMANENTFLAGS without "\*" */
	MODEL_QUIRK_NO_UIDVALIDITY = 1 << 19,
	MODEL_QUIRK_SPLIT_VANISHED = 1 << 20, /* VANISHED in many small responses */
	MODEL_QUIRK_LOWER_CASE = 1 << 21,     /* "* 3 exists", "* list", ... */
};

struct model_profile {
	const char *name;
	uint32_t caps;      /* enum model_cap */
	uint32_t quirks;    /* enum model_quirk */
	char delimiter;     /* 0: NIL, a flat namespace */
	const char *prefix; /* of the personal namespace; NULL: "" */
};

extern const struct model_profile model_profile_full;      /* everything good, '/' */
extern const struct model_profile model_profile_plain;     /* IMAP4rev1 alone */
extern const struct model_profile model_profile_condstore; /* much like Gmail: no QRESYNC */
extern const struct model_profile model_profile_courier;   /* "INBOX." and '.', UIDPLUS */
extern const struct model_profile model_profile_odd;       /* everything, with harmless quirks */

/* The account must never be changed: whatever would is refused and recorded as a violation. */
enum model_use { MODEL_MIRROR, MODEL_TARGET };

struct model *model_new(const struct model_profile *profile);
void model_freep(struct model **model); /* ends every connection and thread first */
void model_set_quirks(struct model *model, uint32_t quirks); /* from now on */
void model_set_caps(struct model *model, uint32_t caps);     /* from the next connection on */

/* Start to listen on a free port of 127.0.0.1 (the same one again after model_unlisten()). */
uint16_t model_listen(struct model *model);
/* Stop to listen and drop every connection: the server is away. */
void model_unlisten(struct model *model);
/* A connection over a socket pair: the client's end, the caller's to close. */
int model_connect_pair(struct model *model);

/* --- mailboxes --- */

/* The account gets an empty INBOX. */
void model_account_add(
	struct model *model, const char *user, const char *password, enum model_use use);
void model_account_password(struct model *model, const char *user, const char *password);
void model_account_use(struct model *model, const char *user, enum model_use use);

/* Missing superior folders are made as well. Returns false when it exists. */
bool model_folder_add(struct model *model, const char *user, const char *name);
/* Returns false when there is none. Children stay below a \Noselect folder. */
bool model_folder_delete(struct model *model, const char *user, const char *name);
/* With children. INBOX stays, empty, and its messages move. False: no such, or `to` exists. */
bool model_folder_rename(struct model *model, const char *user, const char *from, const char *to);
bool model_folder_exists(struct model *model, const char *user, const char *name);
void model_folder_special_use(
	struct model *model, const char *user, const char *name, const char *special_use);
void model_folder_subscribe(
	struct model *model, const char *user, const char *name, bool subscribed);
/* New UIDVALIDITY, UIDs from 1, no history; the messages stay. */
void model_folder_reset(struct model *model, const char *user, const char *name);
/* Numbers as an example has them. 0 keeps a number. */
void model_folder_numbers(struct model *model, const char *user, const char *name,
	uint32_t uidvalidity, uint32_t uidnext, uint64_t highestmodseq);
/* Forget expunges up to this mod-sequence: QRESYNC then tells VANISHED of all it does not hold. */
void model_folder_forget(struct model *model, const char *user, const char *name, uint64_t modseq);

struct model_letter {
	const void *bytes;
	size_t len;        /* 0 with bytes: they are a C string */
	const char *flags; /* NULL: none; blank-separated */
	const char *date;  /* INTERNALDATE as it goes over the wire; NULL: MODEL_DATE */
	uint32_t uid;      /* 0: the next one; must not be below it */
	uint64_t modseq;   /* 0: the next one */
};
#define MODEL_DATE "17-Jul-2026 02:44:25 -0700"

/* Returns the UID. */
uint32_t model_message_add(struct model *model, const char *user, const char *folder,
	const struct model_letter *letter);
/* False: no such message. modseq 0: the next one. */
bool model_message_expunge_at(
	struct model *model, const char *user, const char *folder, uint32_t uid, uint64_t modseq);
bool model_message_expunge(struct model *model, const char *user, const char *folder, uint32_t uid);
/* Replaces the flags. False: no such message. */
bool model_message_flags(
	struct model *model, const char *user, const char *folder, uint32_t uid, const char *flags);

enum model_oddity {
	MODEL_ODD_NIL_BODY = 1 << 0,   /* BODY[] NIL */
	MODEL_ODD_REFUSED = 1 << 1,    /* a UID FETCH of its body ends there with NO */
	MODEL_ODD_MISSING = 1 << 2,    /* left out of every FETCH of bodies; tagged OK */
	MODEL_ODD_WRONG_SIZE = 1 << 3, /* RFC822.SIZE is 7 too much */
	MODEL_ODD_NO_FLAGS = 1 << 4, /* a UID FETCH of flags, not of its body, ends there with NO */
	MODEL_ODD_APART = 1 << 5,    /* tells no flags beside its body */
};
void model_message_odd(
	struct model *model, const char *user, const char *folder, uint32_t uid, uint32_t oddities);
unsigned model_bodies_fetched(
	struct model *model, const char *user, const char *folder, uint32_t uid);

/* --- looking into it --- */

struct model_message {
	uint32_t uid;
	uint64_t modseq;
	char *flags; /* system flags in RFC case, sorted bytewise, one blank between */
	char *date;
	uint8_t *bytes; /* a NUL follows that len does not count */
	size_t len;
	uint32_t oddities;
	unsigned bodies_fetched;
};

struct model_expunged {
	uint32_t uid;
	uint64_t modseq;
};

struct model_folder {
	char *name;
	uint64_t id; /* of this UIDVALIDITY's life; never given twice, kept by a rename */
	uint32_t uidvalidity;
	uint32_t uidnext;
	uint64_t highestmodseq;
	uint64_t forgotten; /* expunges up to here are not in the history */
	char *special_use;  /* NULL: none */
	bool noselect;
	bool subscribed;                /* filled in for snapshots */
	struct model_message *messages; /* by UID */
	size_t count, cap;
	struct model_expunged *expunged; /* in order of time */
	size_t expunged_count, expunged_cap;
};

/* A copy of an account, folders sorted by name. */
struct model_snapshot {
	struct model_folder *folders;
	size_t count;
};
struct model_snapshot *model_snapshot(struct model *model, const char *user);
void model_snapshot_freep(struct model_snapshot **snapshot);
const struct model_folder *model_snapshot_folder(
	const struct model_snapshot *snapshot, const char *name); /* NULL: none */

enum model_compare {
	MODEL_COMPARE_UIDS = 1 << 0, /* UIDVALIDITY and UIDs; without: messages are a multiset */
	MODEL_COMPARE_MODSEQ = 1 << 1,
	MODEL_COMPARE_SUBSCRIBED = 1 << 2,
	MODEL_COMPARE_SPECIAL_USE = 1 << 3,
	MODEL_COMPARE_DATES = 1 << 4,
	MODEL_COMPARE_FLAGS = 1 << 5,
	MODEL_COMPARE_EXACT = (1 << 6) - 1,
	MODEL_COMPARE_RESTORED = MODEL_COMPARE_SUBSCRIBED | MODEL_COMPARE_SPECIAL_USE |
				 MODEL_COMPARE_DATES | MODEL_COMPARE_FLAGS,
};
/* The first difference in words, the caller's to free; NULL when there is none. */
char *model_snapshot_difference(
	const struct model_snapshot *a, const struct model_snapshot *b, uint32_t compare) MUST_USE;

struct model_stats {
	uint64_t sent_bytes; /* to clients */
	uint64_t received_bytes;
	uint64_t commands;
	unsigned connections;
	unsigned open; /* connections that are served now */
	unsigned logins;
	unsigned examines;
	unsigned selects;
	unsigned appends; /* messages stored by APPEND */
	unsigned bodies;  /* whole bodies sent, or about to be */
	unsigned bad;     /* tagged BAD: the client said something wrong */
	unsigned no;      /* tagged NO */
};
void model_stats(struct model *model, struct model_stats *ret_stats);
/* How often "UID FETCH", "EXAMINE", ... came. */
unsigned model_command_count(struct model *model, const char *command);
/* All commands as "user: UID FETCH 1:* (FLAGS)", literals as {n}, no passwords; to free. */
char *model_log(struct model *model) MUST_USE;
/* Their number; ret_text, when given, gets one a line, to free. */
unsigned model_violations(struct model *model, char **ret_text);

/* --- faults --- */

enum model_way { MODEL_TO_CLIENT, MODEL_FROM_CLIENT };
enum model_end { MODEL_FIN, MODEL_RST, MODEL_STALL, MODEL_BYE };

struct model_cut {
	enum model_way way;
	uint64_t after_bytes; /* counted from model_cut_arm(), over all connections */
	enum model_end end; /* MODEL_BYE: "* BYE" and FIN. MODEL_RST over a socket pair is a FIN */
};
/*
 * Break the connection that passes these bytes, once. To the client: exactly that many arrive
 * (RST may take the last with it). From it: they are read and answered, then nothing more is.
 */
void model_cut_arm(struct model *model, const struct model_cut *cut);
void model_cut_disarm(struct model *model);
bool model_cut_fired(struct model *model);

void model_refuse_next(struct model *model, unsigned connections); /* closed at once */
void model_delay(struct model *model, unsigned ms);                /* before every send */
void model_chop(struct model *model, size_t bytes);                /* most bytes of one send; 0 */
/* Answer a command with "NO [UNAVAILABLE] ..." or the like, unexecuted, after `skip` more. */
void model_answer_next(struct model *model, const char *command, unsigned skip, const char *answer);
void model_bye_all(struct model *model, const char *text); /* BYE to every connection, soon */
void model_chatter(struct model *model); /* "* OK Still here" to all that idle, soon */

/* --- random histories --- */

uint64_t model_rng_next(uint64_t *rng); /* splitmix64: any seed is good */
uint32_t model_rng_below(uint64_t *rng, uint32_t below);

/* One change to the account by the seed. Returns what it did, for logs; not to free. */
const char *model_random_step(struct model *model, const char *user, uint64_t *rng);
/* A message by the seed: from empty to some kilobytes, with attachments, 8-bit, bare LF, ... */
struct buf;
void model_random_message(uint64_t *rng, struct buf *out);

#endif
