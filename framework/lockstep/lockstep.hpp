// Everything a program needs to write coroutines on lockstep. Tests include <lockstep/testing/testing.hpp> as well.
#pragma once

#include <lockstep/fs/directory.hpp>
#include <lockstep/fs/file.hpp>
#include <lockstep/fs/lines.hpp>
#include <lockstep/fs/paths.hpp>
#include <lockstep/fs/temporary_file.hpp>
#include <lockstep/fs/walk.hpp>
#include <lockstep/fs/watch.hpp>
#include <lockstep/fs/whole_files.hpp>
#include <lockstep/net/connect.hpp>
#include <lockstep/net/endpoint.hpp>
#include <lockstep/net/reader.hpp>
#include <lockstep/net/resolver.hpp>
#include <lockstep/net/serve.hpp>
#include <lockstep/net/tcp.hpp>
#include <lockstep/net/udp.hpp>
#include <lockstep/net/unix.hpp>
#include <lockstep/net/writer.hpp>
#include <lockstep/report/call_graph.hpp>
#include <lockstep/runtime/annotation.hpp>
#include <lockstep/runtime/any.hpp>
#include <lockstep/runtime/as_completed.hpp>
#include <lockstep/runtime/async_generator.hpp>
#include <lockstep/runtime/buggify.hpp>
#include <lockstep/runtime/call_graph.hpp>
#include <lockstep/runtime/callback.hpp>
#include <lockstep/runtime/exception_group.hpp>
#include <lockstep/runtime/exception_handler.hpp>
#include <lockstep/runtime/executor.hpp>
#include <lockstep/runtime/future.hpp>
#include <lockstep/runtime/generator.hpp>
#include <lockstep/runtime/loop_remote.hpp>
#include <lockstep/runtime/random.hpp>
#include <lockstep/runtime/result.hpp>
#include <lockstep/runtime/run_blocking.hpp>
#include <lockstep/runtime/select.hpp>
#include <lockstep/runtime/shared_task.hpp>
#include <lockstep/runtime/shield.hpp>
#include <lockstep/runtime/sleep.hpp>
#include <lockstep/runtime/spawn.hpp>
#include <lockstep/runtime/stop_token.hpp>
#include <lockstep/runtime/task.hpp>
#include <lockstep/runtime/task_group.hpp>
#include <lockstep/runtime/task_local.hpp>
#include <lockstep/runtime/thread_pool.hpp>
#include <lockstep/runtime/timeout.hpp>
#include <lockstep/runtime/wait.hpp>
#include <lockstep/runtime/when_all.hpp>
#include <lockstep/runtime/when_all_settled.hpp>
#include <lockstep/runtime/when_any.hpp>
#include <lockstep/sim/world.hpp>
#include <lockstep/sync/barrier.hpp>
#include <lockstep/sync/broadcast.hpp>
#include <lockstep/sync/channel.hpp>
#include <lockstep/sync/condition_variable.hpp>
#include <lockstep/sync/event.hpp>
#include <lockstep/sync/latch.hpp>
#include <lockstep/sync/lifo_queue.hpp>
#include <lockstep/sync/mutex.hpp>
#include <lockstep/sync/point.hpp>
#include <lockstep/sync/priority_queue.hpp>
#include <lockstep/sync/queue.hpp>
#include <lockstep/sync/semaphore.hpp>
#include <lockstep/sync/shared.hpp>
#include <lockstep/sync/shared_mutex.hpp>

#include <string_view>

namespace lockstep {

// "0.1.0".
constexpr std::string_view version() noexcept { return "0.1.0"; }

}  // namespace lockstep
