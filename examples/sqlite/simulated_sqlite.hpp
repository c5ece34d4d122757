// SQLite, the library as it is, on the disk of a simulated host.
//
//   const simulated_sqlite on_this_disk;   // in a fixture, or for as long as a sweep
//
// SQLite's own VFS for Unix does the work: its locks, its syncs, its write-ahead log. Only the system calls below it
// are replaced, in the table that SQLite has for that, by those of the host whose task calls SQLite. Random numbers,
// the time and waiting come from the simulation, so that a run is the same each time. SQLite has state of its own that
// all connections share; here it is made to tell hosts and worlds apart, so a world may run while another one, on the
// same thread, stands in the middle of a call of SQLite: that is what crash_sweep() does. Threads: one. Without an
// object of this class, SQLite is on the machine's files.
#pragma once

namespace bookkeeping {

class simulated_sqlite {
 public:
  // Requires that no connection is open and that there is no other one of these.
  // Throws std::runtime_error if this SQLite cannot be told.
  simulated_sqlite();
  simulated_sqlite(const simulated_sqlite&) = delete;
  simulated_sqlite& operator=(const simulated_sqlite&) = delete;
  // Requires that no connection is open. SQLite is on the machine's files again.
  ~simulated_sqlite();
};

}  // namespace bookkeeping
