-- Pruning, forgetting, sealing: removing rows, and moving the remaining items.

-- name: prune_snapshot
update snapshot set pruned = 1 where generation = :generation;

-- name: prune_changes
delete from placement
where gen_to is not null and not gone
	and not exists (select 1 from snapshot s
		where not s.pruned and s.generation >= placement.gen_from
			and s.generation < placement.gen_to);

-- The last row of a placement that a kept snapshot shows stays: it says when the message went.

-- name: prune_gone
delete from placement
where gone and (select unix_ms from snapshot where generation = placement.gen_to) < :deleted_before
	and not exists (select 1 from snapshot s
		where not s.pruned and s.generation >= placement.gen_from
			and s.generation < placement.gen_to)
	and not exists (select 1 from placement o
		where o.folder = placement.folder and o.uidvalidity = placement.uidvalidity
			and o.uid = placement.uid and o.added = placement.added
			and o.gen_from < placement.gen_from);

-- name: prune_folders
delete from folder
where gen_to is not null
	and (not exists (select 1 from placement where folder = folder.id)
		and not exists (select 1 from snapshot s
			where not s.pruned and s.generation >= folder.gen_from
				and s.generation < folder.gen_to)
		or not exists (select 1 from snapshot s
			where not s.pruned and s.generation >= folder.gen_from
				and s.generation < coalesce((select min(l.gen_from) from folder l
					where l.id = folder.id and l.gen_from > folder.gen_from),
					9223372036854775807)));

-- name: unplaced_totals
select count(*), coalesce(sum(size), 0) from message
where id not in (select message from placement);

-- name: sweep_messages
delete from message where id not in (select message from placement);

-- name: sweep_parts
delete from part where skeleton not in (select item from message);

-- name: sweep_items
delete from item
where id not in (select item from message) and id not in (select leaf from part);

-- name: sweep_flag_sets
delete from flag_set where id not in (select flag_set from placement);

-- name: sweep_snapshots
delete from snapshot
where pruned and generation not in (select added from placement)
	and generation not in (select gen_to from placement where gone);

-- name: sweep_tombstones
delete from tombstone
where not exists (select 1 from folder f
	where f.id = tombstone.folder and f.gen_to is null
		and f.uidvalidity = tombstone.uidvalidity);

-- name: volumes_live
select v.sequence, v.uuid, v.state, v.applied_frame, coalesce(l.bytes, 0), coalesce(l.items, 0)
from volume v left join (select volume, sum(size) as bytes, count(*) as items
	from item group by volume) l on l.volume = v.sequence
order by v.sequence;

-- name: volume_items
select id, kind, volume, frame, offset, size from item where volume = :volume
order by frame, offset, id;

-- A sealed volume replaces the one it was rewritten from, whatever state that had.
-- name: volume_replace
update volume set uuid = :uuid, state = 3,
	applied_frame = case when applied_frame > 0 then :journal else 0 end
where sequence = :sequence;

-- name: item_place
update item set frame = :frame, offset = :offset where id = :id and volume = :volume;

-- name: volume_items_count
select count(*), coalesce(max(id), 0) from item where volume = :volume;

-- In the order of a sealed volume: by folder and UID.
-- name: volume_items_by_folder
with home (message, folder, uid) as (
	select message, min(folder), uid from placement group by message
), owner (item, folder, uid) as (
	select m.item, h.folder, h.uid from message m join home h on h.message = m.id
	union all
	select p.leaf, h.folder, h.uid
	from part p join message m on m.item = p.skeleton join home h on h.message = m.id
)
select i.id, i.kind, i.volume, i.frame, i.offset, i.size, min(o.folder), o.uid
from item i left join owner o on o.item = i.id
where i.volume = :volume
group by i.id
order by 7, 8, i.id;

-- name: item_move
update item set volume = :volume, frame = :frame, offset = :offset where id = :id;

-- name: volume_remove
delete from volume where sequence = :sequence;

-- Forgetting: works on the messages in the table `forgotten`, which is otherwise empty.

-- name: forgotten_put
insert or ignore into forgotten (message) values (:message);

-- name: forgotten_clear
delete from forgotten;

-- name: forgotten_placements
select p.gen_from, coalesce(p.gen_to, 0), m.size
from placement p cross join message m on m.id = p.message
where p.message in (select message from forgotten);

-- name: forgotten_items
select i.id, i.kind, i.volume, i.frame, i.offset, i.size, i.sha256
from item i
where i.id in (select item from message where id in (select message from forgotten))
	or (i.id in (select p.leaf from part p where p.skeleton in (
			select item from message where id in (select message from forgotten)))
		and i.id not in (select p.leaf from part p where p.skeleton not in (
			select item from message where id in (select message from forgotten))));

-- name: forgotten_tombstones
insert or ignore into tombstone (folder, uidvalidity, uid)
select folder, uidvalidity, uid from placement
where gen_to is null and message in (select message from forgotten);

-- name: forgotten_remove
delete from placement where message in (select message from forgotten);

-- name: snapshot_lessen
update snapshot set messages = messages - 1, bytes = bytes - :size
where generation >= :gen_from and (:gen_to = 0 or generation < :gen_to);
