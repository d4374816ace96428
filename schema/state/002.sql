-- Copies made by `mailstow copy`, for `mailstow status`.
create table copy (
    archive text not null,
    place text not null,
    copied_ms integer not null,
    same_disk integer not null,
    primary key (archive, place)
) without rowid;
