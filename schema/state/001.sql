-- The status of each account and the messages that could not be fetched. May be lost: no mail here.
create table account (
    archive text primary key,
    state integer not null,
    since_ms integer not null,
    last_success_ms integer not null,
    last_check_ms integer not null,
    push text not null,
    paused_until_ms integer not null,
    detail text not null
) without rowid;

create table skipped (
    archive text not null,
    folder text not null,
    uidvalidity integer not null,
    uid integer not null,
    size integer not null,
    reason text not null,
    attempts integer not null,
    next_try_ms integer not null,
    primary key (archive, folder, uidvalidity, uid)
) without rowid;
