/* Applying records: whatever a record names must exist at that moment, whatever came before. */
#include <stdio.h>
#include <string.h>

#include "archive/catalogue/apply.h"
#include "archive/catalogue/catalogue.h"
#include "support/archive/archive_fixture.h"
#include "support/archive/refs.h"
#include "support/check.h"

enum {
	VALIDITY = 77,
	SIZE = FIXTURE_RECORD_BYTES,
	INBOX = 1,
	LEAF = 10,
	SKELETON = 11,
	WHOLE = 12,
	MESSAGE = 20,
	NOT_THERE = 99,
	RECORDS_MAX = 8,
};

struct world {
	struct db *catalogue;
	struct apply apply;
};

static void world_free(struct world *world)
{
	db_rollback(world->catalogue);
	db_freep(&world->catalogue);
}

#define WORLD CLEANUP(world_free) struct world

static void begin(const char *name, struct world *world)
{
	CLEANUP(freep) char *path = fixture_archive(name);
	struct archive_writer *writer = fixture_writer(path);
	struct err err = ERR_INIT;

	archive_writer_freep(&writer);
	CHECK_OK(catalogue_open(ref_of(path), DB_WRITE, &world->catalogue, &err));
	CHECK_OK(db_begin(world->catalogue, &err));
	CHECK_OK(apply_begin(&world->apply, world->catalogue, 1, 1, &err));
}

/* As decoded from a journal. */
static bool put(struct world *world, const struct record *record)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT(64 * 1024);
	struct record decoded;
	struct reader reader;
	struct err err = ERR_INIT;
	bool unknown, done;

	CHECK(record_encode(record, &bytes));
	reader = (struct reader){.at = bytes.data, .end = bytes.data + bytes.len};
	CHECK(record_decode(&reader, &decoded, &unknown));
	done = apply_record(&world->apply, &decoded, &err);
	CHECK(done || err.kind == ERR_CORRUPT);
	return done;
}

static struct record folder(void)
{
	return (struct record){.kind = RECORD_FOLDER,
		.folder = {.id = INBOX,
			.path = text_of("INBOX"),
			.wire_name = text_of("INBOX"),
			.attributes = text_of(""),
			.special_use = text_of("")}};
}

static struct record item(int64_t id, int kind, const int64_t *leaf)
{
	return (struct record){.kind = RECORD_ITEM,
		.item = {.id = id,
			.kind = kind,
			.frame = 1,
			.size = SIZE,
			.has_sha256 = kind == ITEM_LEAF,
			.leaves = leaf,
			.leaves_count = leaf ? 1 : 0}};
}

static struct record placement(uint32_t uid, int64_t message, const char *flags)
{
	return (struct record){.kind = RECORD_PLACEMENT,
		.placement = {.folder = INBOX,
			.uidvalidity = VALIDITY,
			.uid = uid,
			.message = message,
			.flags = text_of(flags)}};
}

#define PUT(world, ...)     CHECK(put(&(world), &(struct record[]){__VA_ARGS__}[0]))
#define REFUSED(world, ...) CHECK(!put(&(world), &(struct record[]){__VA_ARGS__}[0]))

static void records_that_name_missing_rows_are_refused(void)
{
	static const int64_t leaf = LEAF, whole = WHOLE;
	WORLD world = {0};

	begin("named", &world);
	REFUSED(world, fixture_record(MESSAGE, NOT_THERE));
	PUT(world, item(LEAF, ITEM_LEAF, NULL));
	PUT(world, item(SKELETON, ITEM_SKELETON, &leaf));
	PUT(world, item(WHOLE, ITEM_MESSAGE, NULL));
	REFUSED(world, item(SKELETON + 100, ITEM_SKELETON, &whole));
	REFUSED(world, fixture_record(MESSAGE, NOT_THERE));
	PUT(world, fixture_record(MESSAGE, WHOLE));
	PUT(world, fixture_record(MESSAGE + 1, SKELETON));
	REFUSED(world, placement(1, MESSAGE, "")); /* the folder */
	PUT(world, folder());
	REFUSED(world, placement(1, NOT_THERE, ""));
	PUT(world, placement(1, MESSAGE, ""));
	PUT(world, placement(2, MESSAGE + 1, ""));
	CHECK_INT(world.apply.bytes, 2 * SIZE);
}

static void a_removed_folder_accepts_no_records(void)
{
	const struct record gone = {.kind = RECORD_FOLDER_GONE, .folder_gone = INBOX};
	WORLD world = {0};

	begin("gone", &world);
	PUT(world, item(WHOLE, ITEM_MESSAGE, NULL));
	PUT(world, fixture_record(MESSAGE, WHOLE));
	PUT(world, folder());
	PUT(world, placement(1, MESSAGE, ""));
	PUT(world, gone);
	REFUSED(world, placement(2, MESSAGE, ""));
	PUT(world, folder());
	PUT(world, placement(2, MESSAGE, ""));
	CHECK_INT(world.apply.messages, 1);
}

static const char *flags_of(struct world *world, uint32_t uid)
{
	static char flags[1024];
	struct db *db = world->catalogue;
	struct err err = ERR_INIT;
	bool row;

	db_bind_int(db, CATALOGUE_PLACEMENT_PRESENT, "folder", INBOX);
	db_bind_int(db, CATALOGUE_PLACEMENT_PRESENT, "uidvalidity", VALIDITY);
	db_bind_int(db, CATALOGUE_PLACEMENT_PRESENT, "uid", uid);
	CHECK_OK(db_step(db, CATALOGUE_PLACEMENT_PRESENT, &row, &err));
	CHECK(row);
	(void)snprintf(flags, sizeof(flags), "%s", db_text(db, CATALOGUE_PLACEMENT_PRESENT, 0));
	db_reset(db, CATALOGUE_PLACEMENT_PRESENT);
	return flags;
}

static void each_placement_has_its_own_flags(void)
{
	char longer[APPLY_FLAGS_BYTES_KEPT + 2];
	const char *texts[] = {
		"", "\\Seen", "\\Seen", "", "\\Flagged", longer, longer, "\\Flagged", "\\See"};
	WORLD world = {0};

	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	begin("flags", &world);
	PUT(world, item(WHOLE, ITEM_MESSAGE, NULL));
	PUT(world, fixture_record(MESSAGE, WHOLE));
	PUT(world, folder());
	for (uint32_t i = 0; i < ARRAY_LEN(texts); i++)
		PUT(world, placement(i + 1, MESSAGE, texts[i]));
	for (uint32_t i = 0; i < ARRAY_LEN(texts); i++)
		CHECK_STR(flags_of(&world, i + 1), texts[i]);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(records_that_name_missing_rows_are_refused),
		PROMISE(a_removed_folder_accepts_no_records),
		PROMISE(each_placement_has_its_own_flags),
	};
	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
