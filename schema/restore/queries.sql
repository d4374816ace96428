-- Statements on the journal of a restore.

-- name: folder_get
select id from folder where wire_name = :wire_name;

-- name: folder_put
insert into folder (wire_name) values (:wire_name);

-- name: message_list
select id, uidvalidity, uidnext, uid, sha256, size, unix_s from message where folder = :folder;

-- name: pending_put
insert into message (folder, uidvalidity, uidnext, sha256)
values (:folder, :uidvalidity, :uidnext, :sha256);

-- name: known_put
insert or replace into message (folder, uidvalidity, uidnext, uid, sha256, size, unix_s)
values (:folder, :uidvalidity, 0, :uid, :sha256, :size, :unix_s);

-- name: message_done
update or replace message set uidvalidity = :uidvalidity, uid = :uid where id = :id;

-- name: message_seen
update message set size = :size, unix_s = :unix_s where id = :id;

-- name: message_remove
delete from message where id = :id;

-- name: others_remove
delete from message where folder = :folder and uidvalidity <> :uidvalidity;
