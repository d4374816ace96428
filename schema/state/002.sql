-- Copies that were made of archives (`mailstow copy`), so that `status` knows of them.
create table copy (
    archive text not null,
    place text not null,
    copied_ms integer not null,
    same_disk integer not null,
    primary key (archive, place)
) without rowid;
