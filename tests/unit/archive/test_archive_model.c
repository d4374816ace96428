/*
 * Random histories against a model that is an array. After any sequence of operations, every
 * generation shows what the model held when it was committed, also after the catalogue was rebuilt
 * from the volumes.
 *
 * A failure prints its seed. The seeds are the loop, so a run always tries the same ones.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/archive/archive_fixture.h"
#include "support/check.h"

enum {
	SEEDS = 200,
	SEEDS_MIN = 40, /* in a hurry */
	STEPS = 60,
	FOLDERS = 3,
	UIDS = 12,
	GENERATIONS_MAX = STEPS + 1,
};

struct model_message {
	bool present;
	uint32_t seed;
	size_t size;
	int flags;
};

struct model_folder {
	bool present;
	int64_t id; /* 0: not created yet */
	int name;
	uint32_t uidvalidity;
	struct model_message messages[UIDS + 1];
};

struct model {
	uint32_t seed;
	uint64_t random;
	char *path;
	struct archive_writer *writer;
	struct model_folder folders[FOLDERS];
	char *states[GENERATIONS_MAX]; /* by generation */
	int64_t generation;
};

static const char *const flag_texts[] = {"", "\\Seen", "$Label \\Answered \\Seen"};
static const size_t sizes[] = {0, 50, 900, 40000, 70000};

static uint32_t pick(struct model *model, uint32_t below)
{
	model->random = model->random * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)((model->random >> 33) % below);
}

static void name_of(const struct model_folder *folder, size_t index, char out[32])
{
	(void)snprintf(out, 32, "f%zu-%d", index, folder->name);
}

static struct model_folder *pick_present(struct model *model)
{
	struct model_folder *folder = &model->folders[pick(model, FOLDERS)];

	return folder->present ? folder : NULL;
}

/* --- steps --- */

static void put_folder(struct model *model)
{
	uint32_t index = pick(model, FOLDERS);
	struct model_folder *folder = &model->folders[index];
	struct archive_folder put = {.id = folder->id, .attributes = "", .delimiter = '/'};
	struct err err = ERR_INIT;
	char name[32];

	if (!folder->present)
		folder->uidvalidity = 0;
	folder->present = true;
	folder->name = (int)pick(model, 3);
	name_of(folder, index, name);
	put.path = name;
	put.wire_name = name;
	CHECK_OK(archive_put_folder(model->writer, &put, &folder->id, &err));
}

static void forget_messages(struct model_folder *folder)
{
	memset(folder->messages, 0, sizeof(folder->messages));
}

static void set_uidvalidity(struct model *model)
{
	struct model_folder *folder = pick_present(model);
	uint32_t uidvalidity = 1 + pick(model, 2);
	struct err err = ERR_INIT;

	if (!folder)
		return;
	CHECK_OK(archive_set_uidvalidity(model->writer, folder->id, uidvalidity, &err));
	if (folder->uidvalidity != uidvalidity)
		forget_messages(folder);
	folder->uidvalidity = uidvalidity;
}

static void folder_gone(struct model *model)
{
	struct model_folder *folder = pick_present(model);
	struct err err = ERR_INIT;

	if (!folder || pick(model, 3) != 0)
		return;
	CHECK_OK(archive_folder_gone(model->writer, folder->id, &err));
	forget_messages(folder);
	folder->present = false;
}

static void place(struct model *model)
{
	struct model_folder *folder = pick_present(model);
	uint32_t uid = 1 + pick(model, UIDS);
	struct model_message message = {
		.present = true,
		.seed = pick(model, 6),
		.size = sizes[pick(model, ARRAY_LEN(sizes))],
		.flags = (int)pick(model, ARRAY_LEN(flag_texts)),
	};

	if (!folder || !folder->uidvalidity)
		return;
	fixture_add(model->writer, folder->id, folder->uidvalidity, uid, message.seed, message.size,
		flag_texts[message.flags]);
	if (!folder->messages[uid].present)
		folder->messages[uid] = message;
}

static void set_flags(struct model *model)
{
	struct model_folder *folder = pick_present(model);
	uint32_t uid = 1 + pick(model, UIDS);
	int flags = (int)pick(model, ARRAY_LEN(flag_texts));
	struct err err = ERR_INIT;

	if (!folder)
		return;
	CHECK_OK(archive_set_flags(
		model->writer, folder->id, folder->uidvalidity, uid, flag_texts[flags], &err));
	folder->messages[uid].flags = flags;
}

static void set_gone(struct model *model)
{
	struct model_folder *folder = pick_present(model);
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	struct err err = ERR_INIT;

	if (!folder)
		return;
	for (uint32_t uid = 1; uid <= UIDS; uid++) {
		if (pick(model, 4) != 0)
			continue;
		rangeset_add(&uids, uid, uid);
		folder->messages[uid].present = false;
	}
	CHECK_OK(archive_set_gone(model->writer, folder->id, folder->uidvalidity, &uids, &err));
}

/* --- states --- */

static bool render_folder(struct buf *out, const struct model_folder *folder, const char *name)
{
	for (uint32_t uid = 1; uid <= UIDS; uid++) {
		const struct model_message *message = &folder->messages[uid];

		if (message->present &&
			!buf_printf(out, "%s %u %u %zu [%s] %u\n", name, folder->uidvalidity, uid,
				message->size, flag_texts[message->flags],
				message->size ? message->seed : 0))
			return false;
	}
	return true;
}

static char *render(const struct model *model)
{
	struct buf out = BUF_INIT(65536);

	CHECK(buf_add_str(&out, "state:\n"));
	for (size_t i = 0; i < FOLDERS; i++) {
		char name[32];

		name_of(&model->folders[i], i, name);
		CHECK(!model->folders[i].present || render_folder(&out, &model->folders[i], name));
	}
	return buf_take_str(&out);
}

struct listing {
	struct archive *archive;
	struct buf text;
};

/* The bytes identify the message: its header, if it has one, holds the seed. */
static bool list_entry(void *context, const struct archive_entry *entry, struct err *err)
{
	struct listing *listing = context;
	CLEANUP(buf_free) struct buf got = BUF_INIT(FIXTURE_MESSAGE_MAX);
	CLEANUP(buf_free) struct buf wanted = BUF_INIT(FIXTURE_MESSAGE_MAX);
	uint32_t seed = 0;

	(void)err;
	fixture_read(listing->archive, entry->message_id, &got);
	CHECK_INT(got.len, entry->size);
	for (; entry->size && seed < 6; seed++) {
		fixture_message(&wanted, seed, entry->size);
		if (memcmp(wanted.data, got.data, got.len) == 0)
			break;
	}
	return buf_printf(&listing->text, "%s %u %u %llu [%s] %u\n", entry->folder_path,
		entry->uidvalidity, entry->uid, (unsigned long long)entry->size, entry->flags,
		seed);
}

static void check_generation(const struct model *model, struct archive *archive, int64_t generation)
{
	struct archive_list list = {.generation = generation};
	struct listing listing = {.archive = archive, .text = BUF_INIT(65536)};
	struct err err = ERR_INIT;

	CHECK(buf_add_str(&listing.text, "state:\n"));
	CHECK_OK(archive_each_entry(archive, &list, list_entry, &listing, &err));
	if (strcmp(buf_str(&listing.text), model->states[generation]) != 0)
		check_fail(__FILE__, __LINE__, "seed %u, generation %lld: %s instead of %s",
			model->seed, (long long)generation, buf_str(&listing.text),
			model->states[generation]);
	buf_free(&listing.text);
}

static void check_all(const struct model *model)
{
	CLEANUP(archive_freep) struct archive *archive = fixture_reader(model->path);

	for (int64_t generation = 1; generation <= model->generation; generation++)
		check_generation(model, archive, generation);
}

static void commit(struct model *model)
{
	int64_t generation = fixture_commit(model->writer, pick(model, 2) == 0);

	CHECK(generation == model->generation || generation == model->generation + 1);
	if (generation == model->generation + 1) {
		model->states[generation] = render(model);
		model->generation = generation;
	}
	if (generation > 0)
		check_generation(model, archive_writer_view(model->writer), generation);
}

/* Closing the writer drops what was not committed, so commit first. */
static void reopen(struct model *model)
{
	commit(model);
	archive_writer_freep(&model->writer);
	model->writer = fixture_writer(model->path);
}

/* --- a history --- */

static void step(struct model *model)
{
	static void (*const often[])(struct model *) = {
		put_folder,
		set_uidvalidity,
		place,
		place,
		place,
		place,
		set_flags,
		set_flags,
		set_gone,
		folder_gone,
		commit,
		commit,
		reopen,
	};

	often[pick(model, ARRAY_LEN(often))](model);
}

static void remove_catalogue(const char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		CLEANUP(freep) char *file = str_printf("%s/catalogue.db%s", path, suffixes[i]);

		CHECK_OK(fs_remove(file, &err));
	}
}

static void run_history(uint32_t seed)
{
	CLEANUP(freep) char *name = str_printf("model-%u", seed);
	struct model model = {.seed = seed, .random = seed};

	model.path = fixture_archive(name);
	model.writer = fixture_writer(model.path);
	for (int i = 0; i < STEPS; i++)
		step(&model);
	commit(&model);
	archive_writer_freep(&model.writer);
	check_all(&model);
	remove_catalogue(model.path);
	model.writer = fixture_writer(model.path);
	archive_writer_freep(&model.writer);
	check_all(&model);
	for (int64_t i = 1; i <= model.generation; i++)
		free(model.states[i]);
	free(model.path);
}

static void every_generation_shows_its_commit(void)
{
	uint32_t seeds = SEEDS / (uint32_t)check_stride(1);

	for (uint32_t seed = 1; seed <= (seeds > SEEDS_MIN ? seeds : SEEDS_MIN); seed++)
		run_history(seed);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(every_generation_shows_its_commit),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
