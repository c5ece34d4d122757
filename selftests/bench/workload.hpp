// What the benchmarks have in common: a workload is one kind of work, a variant is one runtime that does it.
//
// Each runtime lists its workloads in one file; the programs (main.cpp, peer.cpp) only run what the lists say. Ids and
// what they measure are the same in every list, so the figures may be divided by each other.
//
//   W1_1 W1_100 W1_10k      that many tasks yield through the ready queue        one resume
//   W2_call                 await a trivial child                                one call
//   W2_seq                  spawn a trivial task and join it, again and again    one task
//   W2_batch                spawn them all, then join them all                   one task, and bytes a parked task
//   W3_1e3 W3_1e5 W3_1e6    spawn that many; each sleeps once, for up to 1 s     one timer
//   W3_cancel1e4            start and cancel a timer, 10^4 others standing       one start and cancel
//   W4_chan1 W4_chan64      one producer, one consumer, a bounded queue          one item
//   W4_sem                  two tasks, two semaphores, ping-pong                 one hand-off
//   W4_lock100              100 tasks on one mutex, one yield inside             one lock and unlock
//   W6_3x3 W6_2x5           3 tasks of 3 steps, 2 of 5, run from scratch in      one run, from the start of its world
//                           every order, depth first                             to its end
//   W6_3x3r                 the same of 3 tasks, in random orders                the same
//   W5_echo64               64 bytes to another task and back                    one round trip
//   W5_bulk                 1 MiB, read in pieces of 64 KiB                      one MiB
//   W5_hosts10 … 1e4        W5_echo64 of that many hosts at once, each on a      one round trip; bytes an idle
//                           connection of its own to one other host              connection, bytes and time a host
// W5 is two rings on the floor, hosts and TCP on lockstep, and on Asio the stream that Beast's tests are run on.
// W6 on Asio is run again in the one order that it knows.
// On lockstep and the floor:
//   W11_read4k W11_write4k  4 KiB of a file of 4 MiB; on the floor a copy of a   one read or write
//                           page of a table
//   W11_stat W11_open       a path of four parts: look at it, open and close;    one deed
//   W11_rename              give it another name; on the floor a look-up in a
//                           hash map for each part
// What searching costs, of lockstep alone:
//   W7_race W7_shared W7_lock    systematic search by source sets: 3 tasks of 3 steps on plain variables, 3 of 4 on
//                           shared<T>, 3 that lock a mutex twice               one run that differs
//   W7_…_again              the same runs by their answers, without the search   one run
//   W8_3x3 … W8_300x3       so many tasks of so many steps in random orders      one step
//   W9_3x3 … W9_300x3       the same in the first 20 runs of a systematic        one step
//                           search
//   W10_explorer W10_loop   random runs by the explorer, and by the bare loop    one run
// And of the network of lockstep alone:
//   W5_link W5_faulty       W5_echo64 over a link that takes 1 ms; and over one  one round trip
//                           that takes up to 3, loses, and has a fault on reads
// And of the files of lockstep alone:
//   W11_sync8               W11_write4k with a sync behind every eight            one write
//   W11_files1e3 … 1e6      so many files made, with nothing durable              one file; bytes a file
//   W11_changes1e3 … 1e6    so many changes of a file, then a sync                one change
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace bench {

struct measurement {
  std::uint64_t operations = 0;
  double cpu_ns = 0;  // of this process, for all operations together
  double wall_ns = 0;
  double bytes_per_task = 0;       // W2_batch: by how much the process grew, divided by the tasks; W5: by connections
  double bytes_per_host = 0;       // W5_hosts; beside its connection
  double building_ns = 0;          // W5_hosts: of a host and its connection
  std::uint64_t firing_order = 0;  // W3: a hash of the times at which timers fired
};

struct workload {
  std::string_view id;
  std::uint64_t operations;  // how many a run does when it is not scaled down
  measurement (*run)(std::uint64_t operations);

  measurement run_scaled(double scale) const {
    const auto scaled = static_cast<std::uint64_t>(static_cast<double>(operations) * scale);
    return run(scaled > 0 ? scaled : 1);
  }
};

struct variant {
  std::string_view name;
  std::span<const workload> workloads;
};

variant floor_variant();
variant floor_network_variant();
variant floor_files_variant();
variant lockstep_variant();
variant lockstep_network_variant();
variant lockstep_files_variant();
variant search_variant();
variant asio_variant();
variant asio_network_variant();

}  // namespace bench
