#pragma once

// Asio as the project uses it: one thread, one io_context, its concrete executor, plain sockets. The
// implementation is compiled once, in asio_impl.cc (BOOST_ASIO_SEPARATE_COMPILATION); `boost/asio.hpp` would
// cost every unit seconds more. Include this in source files only, and precompile it where several units of a
// folder need it: `target_precompile_headers(ganglion_<folder> PRIVATE
// "${CMAKE_SOURCE_DIR}/src/base/asio/asio.h")`.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <chrono>

namespace ganglion {

namespace asio = boost::asio;
// The concrete executor: `any_io_executor`, Asio's default, costs about half of a server's throughput.
using LoopExecutor = asio::io_context::executor_type;
template <typename T>
using Awaitable = asio::awaitable<T, LoopExecutor>;
constexpr asio::use_awaitable_t<LoopExecutor> use_awaitable;

using LoopSocket = asio::basic_stream_socket<asio::ip::tcp, LoopExecutor>;
using LoopAcceptor = asio::basic_socket_acceptor<asio::ip::tcp, LoopExecutor>;
using LoopTimer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                             asio::wait_traits<std::chrono::steady_clock>, LoopExecutor>;

}  // namespace ganglion
