-- Named statements on the state file.

-- name: account_get
select state, since_ms, last_success_ms, last_check_ms, push, paused_until_ms, detail
from account where archive = :archive;

-- name: account_put
insert into account (archive, state, since_ms, last_success_ms, last_check_ms, push,
    paused_until_ms, detail)
values (:archive, :state, :since_ms, :last_success_ms, :last_check_ms, :push, :paused_until_ms,
    :detail)
on conflict (archive) do update set state = excluded.state, since_ms = excluded.since_ms,
    last_success_ms = excluded.last_success_ms, last_check_ms = excluded.last_check_ms,
    push = excluded.push, paused_until_ms = excluded.paused_until_ms, detail = excluded.detail;

-- name: skip_put
insert into skipped (archive, folder, uidvalidity, uid, size, reason, attempts, next_try_ms)
values (:archive, :folder, :uidvalidity, :uid, :size, :reason, :attempts, :next_try_ms)
on conflict (archive, folder, uidvalidity, uid) do update set size = excluded.size,
    reason = excluded.reason, attempts = excluded.attempts, next_try_ms = excluded.next_try_ms;

-- name: skip_done
delete from skipped where archive = :archive and folder = :folder and uidvalidity = :uidvalidity
    and uid = :uid;

-- name: skip_each
select folder, uidvalidity, uid, size, reason, attempts, next_try_ms
from skipped where archive = :archive order by folder, uidvalidity, uid;

-- name: skip_count
select count(*) from skipped where archive = :archive and next_try_ms > 0;

-- name: skip_forget
delete from skipped where archive = :archive;

-- name: account_forget_detail
update account set detail = '' where archive = :archive;

-- name: copy_put
insert into copy (archive, place, copied_ms, same_disk)
values (:archive, :place, :copied_ms, :same_disk)
on conflict (archive, place) do update set copied_ms = excluded.copied_ms,
    same_disk = excluded.same_disk;

-- The newest copy on another disk, else the newest.
-- name: copy_best
select copied_ms, same_disk from copy where archive = :archive
order by same_disk, copied_ms desc limit 1;
