// Package sqlite keeps the rows of a [store.DB] in an SQLite file, so that they outlive the process.
//
// [Open] gives a database like any other. Rows are read in memory; a change is in the file when Update returns. The file is
// in WAL mode with synchronous=NORMAL: a process that is killed at any moment, with SIGKILL too, loses nothing that was
// acknowledged and leaves nothing half written, since what was written is the operating system's then. A machine that
// loses power may lose the last changes, never the file (sqlite.org/wal.html, sqlite.org/pragma.html#pragma_synchronous).
//
// One process has the file at a time. Beside NAME there is NAME-wal while it is open, and after a kill: the two belong
// together. The sqlite3 tool reads what is in it: table row has each row as JSON.
package sqlite
