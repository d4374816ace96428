-- Statements on the catalogue. :generation is the one being written or read.

-- name: state_get
select archive, applied_seq, head, checkpoint, pruned_ms from state;

-- name: state_make
insert into state (id, archive, applied_seq, head, checkpoint, pruned_ms)
values (1, :archive, 0, :head, 0, 0);

-- name: state_put
update state set applied_seq = :seq, head = :head;

-- name: volume_put
insert into volume (sequence, uuid, state, applied_frame) values (:sequence, :uuid, :state, 0);

-- name: volume_list
select sequence, uuid, state, applied_frame from volume order by sequence;

-- name: volume_get
select sequence, uuid, state, applied_frame from volume where sequence = :sequence;

-- name: volume_set_state
update volume set state = :state where sequence = :sequence;

-- name: volume_set_applied
update volume set applied_frame = :frame where sequence = :sequence;

-- Whole tables in an order that does not depend on their history, for comparing a catalogue
-- with one rebuilt from the volumes.

-- name: all_folders
select id, gen_from, gen_to, path, wire_name, delimiter, attributes, special_use, subscribed,
	selectable, uidvalidity
from folder order by id, gen_from;

-- name: all_placements
select p.folder, p.uidvalidity, p.uid, p.gen_from, p.gen_to, p.gone, p.added, p.message, p.known,
	p.date_s, p.date_offset, p.date_text, f.flags
from placement p left join flag_set f on f.id = p.flag_set
order by p.folder, p.uidvalidity, p.uid, p.gen_from;

-- name: all_messages
select id, sha256, size, header_size, item, sender, subject, date_header, message_id
from message order by id;

-- name: all_items
select id, kind, volume, frame, offset, size, sha256 from item order by id;

-- name: items_leaves_first
select id, kind, volume, frame, offset, size, sha256 from item order by kind desc, id;

-- name: all_parts
select skeleton, number, leaf from part order by skeleton, number;

-- name: all_marks
select folder, uidvalidity, uidnext, highestmodseq, messages, flags_compared_ms
from mark order by folder;

-- name: all_snapshots
select generation, unix_ms, complete, pinned, pruned, messages, bytes, added, removed, changed
from snapshot order by generation;

-- name: all_tombstones
select folder, uidvalidity, uid from tombstone order by folder, uidvalidity, uid;

-- Messages in the order in which they are stored.
-- name: messages_stored
select m.id
from message m left join item i on i.id = m.item
order by i.volume, i.frame, i.offset;

-- The location of every piece of a message, in order.
-- name: places_used
select i.volume, i.frame, i.size, m.id
from message m left join item i on i.id = m.item
union all
select i.volume, i.frame, i.size, m.id
from message m join part p on p.skeleton = m.item left join item i on i.id = p.leaf
order by 1, 2;

-- name: leaves_shared
select leaf, count(*) from part group by leaf having count(*) > 1 order by leaf limit :most;

-- name: message_places
select distinct f.path, p.uid
from placement p join folder f on f.id = p.folder and f.gen_from = (
	select max(gen_from) from folder where id = p.folder)
where p.message = :message
order by f.path, p.uid;

-- name: item_put
insert into item (id, kind, volume, frame, offset, size, sha256)
values (:id, :kind, :volume, :frame, :offset, :size, :sha256);

-- name: item_get
select id, kind, volume, frame, offset, size from item where id = :id;

-- name: leaf_find
select id from item
where kind = 3 and substr(sha256, 1, 8) = substr(:sha256, 1, 8) and sha256 = :sha256
	and size = :size
limit 1;

-- name: part_put
insert into part (skeleton, number, leaf) values (:skeleton, :number, :leaf);

-- name: part_list
select i.id, i.kind, i.volume, i.frame, i.offset, i.size
from part p cross join item i on i.id = p.leaf
where p.skeleton = :skeleton order by p.number;

-- name: message_put
insert into message (id, sha256, size, header_size, item, sender, subject, date_header, message_id)
values (:id, :sha256, :size, :header_size, :item, :sender, :subject, :date_header, :message_id);

-- name: message_get
select id, sha256, size, header_size, item from message where id = :id;

-- name: message_find
select id from message
where substr(sha256, 1, 8) = substr(:sha256, 1, 8) and sha256 = :sha256
limit 1;

-- name: ids_last
select coalesce((select max(id) from item), 0),
	coalesce((select max(id) from message), 0),
	coalesce((select max(id) from folder), 0);

-- name: folder_present
select id, gen_from, gen_to, path, wire_name, delimiter, attributes, special_use, subscribed,
	selectable, uidvalidity
from folder where id = :id and gen_to is null;

-- name: folder_put
insert or replace into folder (id, gen_from, gen_to, path, wire_name, delimiter, attributes,
	special_use, subscribed, selectable, uidvalidity)
values (:id, :generation, null, :path, :wire_name, :delimiter, :attributes, :special_use,
	:subscribed, :selectable,
	coalesce((select uidvalidity from folder
		where id = :id and (gen_to is null or gen_to = :generation)
		order by gen_from desc limit 1), 0));

-- name: folder_put_uidvalidity
insert or replace into folder (id, gen_from, gen_to, path, wire_name, delimiter, attributes,
	special_use, subscribed, selectable, uidvalidity)
select id, :generation, null, path, wire_name, delimiter, attributes, special_use, subscribed,
	selectable, :uidvalidity
from folder where id = :id and gen_to is null;

-- name: folder_close_older
update folder set gen_to = :generation
where id = :id and gen_to is null and gen_from < :generation;

-- name: folder_close
update folder set gen_to = :generation where id = :id and gen_to is null;

-- name: folders_at
select id, gen_from, gen_to, path, wire_name, delimiter, attributes, special_use, subscribed,
	selectable, uidvalidity
from folder f
where gen_from = (select max(gen_from) from folder where id = f.id and gen_from <= :generation)
	and (:id = 0 or id = :id)
order by path, id;

-- name: folder_totals_at
select count(*), coalesce(sum(m.size), 0)
from placement p cross join message m on m.id = p.message
where p.folder = :folder and p.gen_from <= :generation
	and (p.gen_to is null or p.gen_to > :generation);

-- name: flag_set_find
select id from flag_set where flags = :flags;

-- name: flag_set_put
insert into flag_set (flags) values (:flags);

-- name: placement_present
select f.flags
from placement p join flag_set f on f.id = p.flag_set
where p.folder = :folder and p.uidvalidity = :uidvalidity and p.uid = :uid and p.gen_to is null;

-- name: placement_put
insert or replace into placement (folder, uidvalidity, uid, gen_from, gen_to, gone, added, message,
	known, date_s, date_offset, date_text, flag_set)
values (:folder, :uidvalidity, :uid, :generation, null, 0, :generation, :message, :known, :date_s,
	:date_offset, :date_text, :flag_set);

-- name: placement_put_flags
insert or replace into placement (folder, uidvalidity, uid, gen_from, gen_to, gone, added, message,
	known, date_s, date_offset, date_text, flag_set)
select folder, uidvalidity, uid, :generation, null, 0, added, message, known, date_s, date_offset,
	date_text, :flag_set
from placement
where folder = :folder and uidvalidity = :uidvalidity and uid = :uid and gen_to is null;

-- name: placement_close_older
update placement set gen_to = :generation
where folder = :folder and uidvalidity = :uidvalidity and uid = :uid and gen_to is null
	and gen_from < :generation;

-- name: range_any
select 1 from placement
where folder = :folder and uidvalidity = :uidvalidity and uid between :first and :last
	and gen_to is null
union all
select 1 from tombstone
where folder = :folder and uidvalidity = :uidvalidity and uid between :first and :last
limit 1;

-- name: range_bury
delete from tombstone
where folder = :folder and uidvalidity = :uidvalidity and uid between :first and :last;

-- name: range_totals
select count(*), coalesce(sum(m.size), 0)
from placement p cross join message m on m.id = p.message
where p.folder = :folder and p.uidvalidity = :uidvalidity and p.uid between :first and :last
	and p.gen_to is null;

-- name: range_close
update placement set gen_to = :generation, gone = 1
where folder = :folder and uidvalidity = :uidvalidity and uid between :first and :last
	and gen_to is null;

-- name: others_totals
select count(*), coalesce(sum(m.size), 0)
from placement p cross join message m on m.id = p.message
where p.folder = :folder and p.uidvalidity <> :uidvalidity and p.gen_to is null;

-- name: others_close
update placement set gen_to = :generation, gone = 1
where folder = :folder and uidvalidity <> :uidvalidity and gen_to is null;

-- name: uids_at
select p.uid, f.flags
from placement p cross join flag_set f on f.id = p.flag_set
where p.folder = :folder and p.uidvalidity = :uidvalidity and p.uid between :first and :last
	and p.gen_to is null
order by p.uid;

-- name: entries_at
select p.folder, p.uidvalidity, p.uid, p.gen_from, p.gen_to, p.gone, p.added, p.message, p.known,
	p.date_s, p.date_offset, p.date_text, f.flags,
	m.id, m.sha256, m.size, m.header_size, m.item, m.sender, m.subject, m.date_header,
	m.message_id,
	(select unix_ms from snapshot where generation = p.added),
	case
	when p.gen_to is null then 0
	when p.gone then (select unix_ms from snapshot where generation = p.gen_to)
	else coalesce((select s.unix_ms
		from placement l join snapshot s on s.generation = l.gen_to
		where l.folder = p.folder and l.uidvalidity = p.uidvalidity and l.uid = p.uid
			and l.added = p.added and l.gone), 0)
	end
from placement p cross join message m on m.id = p.message
	cross join flag_set f on f.id = p.flag_set
where p.folder = :folder and p.gen_from <= :generation
	and ((:present and (p.gen_to is null or p.gen_to > :generation))
		or (:deleted and p.gone and p.gen_to <= :generation))
order by p.uidvalidity, p.uid, p.gen_from;

-- name: mark_get
select folder, uidvalidity, uidnext, highestmodseq, messages, flags_compared_ms
from mark where folder = :folder;

-- name: mark_put
insert or replace into mark (folder, uidvalidity, uidnext, highestmodseq, messages,
	flags_compared_ms)
values (:folder, :uidvalidity, :uidnext, :highestmodseq, :messages, :flags_compared_ms);

-- name: mark_remove
delete from mark where folder = :folder and uidvalidity <> :uidvalidity;

-- name: snapshot_put
insert into snapshot (generation, unix_ms, complete, pinned, pruned, messages, bytes, added,
	removed, changed)
values (:generation, :unix_ms, :complete, :pinned, :pruned, :messages, :bytes, :added, :removed,
	:changed);

-- name: snapshot_pin
update snapshot set pinned = :pinned where generation = :generation and not pruned;

-- name: snapshot_last
select generation, unix_ms, complete, pinned, pruned, messages, bytes, added, removed, changed
from snapshot order by generation desc limit 1;

-- name: snapshot_get
select generation, unix_ms, complete, pinned, pruned, messages, bytes, added, removed, changed
from snapshot where generation = :generation and not pruned;

-- name: snapshot_at_time
select generation, unix_ms, complete, pinned, pruned, messages, bytes, added, removed, changed
from snapshot where complete and not pruned and unix_ms <= :unix_ms
order by generation desc limit 1;

-- name: snapshot_first_complete
select generation, unix_ms, complete, pinned, pruned, messages, bytes, added, removed, changed
from snapshot where complete and not pruned order by generation limit 1;

-- name: snapshot_list
select generation, unix_ms, complete, pinned, pruned, messages, bytes, added, removed, changed
from snapshot where not pruned order by generation;

-- Journal checkpoints: the whole state, removed and restored row by row.

-- name: clear_volumes
delete from volume;

-- name: clear_items
delete from item;

-- name: clear_parts
delete from part;

-- name: clear_messages
delete from message;

-- name: clear_folders
delete from folder;

-- name: clear_placements
delete from placement;

-- name: clear_flag_sets
delete from flag_set;

-- name: clear_marks
delete from mark;

-- name: clear_snapshots
delete from snapshot;

-- name: clear_tombstones
delete from tombstone;

-- name: state_put_journal_checkpoint
update state set checkpoint = :volume;

-- name: state_put_pruned
update state set pruned_ms = :unix_ms;

-- name: volume_forget_applied
update volume set applied_frame = 0 where sequence <> :sequence;

-- name: folder_row_put
insert into folder (id, gen_from, gen_to, path, wire_name, delimiter, attributes, special_use,
	subscribed, selectable, uidvalidity)
values (:id, :gen_from, nullif(:gen_to, 0), :path, :wire_name, :delimiter, :attributes,
	:special_use, :subscribed, :selectable, :uidvalidity);

-- name: placement_row_put
insert into placement (folder, uidvalidity, uid, gen_from, gen_to, gone, added, message, known,
	date_s, date_offset, date_text, flag_set)
values (:folder, :uidvalidity, :uid, :gen_from, nullif(:gen_to, 0), :gone, :added, :message, :known,
	:date_s, :date_offset, :date_text, :flag_set);

-- name: tombstone_put
insert or ignore into tombstone (folder, uidvalidity, uid) values (:folder, :uidvalidity, :uid);

-- name: tombstone_list
select uid from tombstone where folder = :folder and uidvalidity = :uidvalidity order by uid;

-- Rows with dangling references.

-- name: dangling
select 'an item in a volume', i.id from item i
where not exists (select 1 from volume where sequence = i.volume)
union all
select 'a skeleton of leaves', p.skeleton from part p
where not exists (select 1 from item where id = p.leaf and kind = 3)
union all
select 'a message of an item', m.id from message m
where not exists (select 1 from item where id = m.item and kind <> 3)
union all
select 'a placement of a message', p.message from placement p
where not exists (select 1 from message where id = p.message)
union all
select 'a placement in a folder', p.folder from placement p
where not exists (select 1 from folder where id = p.folder)
limit 1;

-- Rows that prune and forget remove.
