#pragma once

// The parts of the store, put together: a link, the writes and the reads that go over it.

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "adapters/redis/link.h"
#include "adapters/redis/msgpack.h"
#include "adapters/redis/read_set.h"
#include "adapters/redis/store.h"
#include "adapters/redis/write_stream.h"

namespace ganglion::redis {

inline Error damaged(std::string_view what) {
  return {"store_corrupt", "what Redis has of " + std::string(what) + " can't be read"};
}

class Store::Engine {
 public:
  Engine(boost::asio::io_context& context, Url url, Options options);

  // Runs the loop until the server is there, or can't be used.
  Result<void> open();

  // A write whose answer `read` takes from the packed one; nothing from it: the answer was damaged.
  template <typename T, typename Read>
  void write(std::string operation, Read read, Completion<Result<T>> done);
  void write(std::string operation, WriteStream::Done done) {
    writes_.push(std::move(operation), std::move(done));
  }

  // One of the library's queries. `read` makes a Result<T> of the packed answer.
  template <typename T, typename Read>
  void query(std::string_view name, std::string arguments, Read read, Completion<Result<T>> done);
  // A plain command. `read` makes a Result<T> of the answer.
  template <typename T, typename Read>
  void ask(std::string command, Read read, Completion<Result<T>> done);

  std::string key(std::string_view name) const { return url_.base_key() + ':' + std::string(name); }
  std::string key(std::string_view name, std::string_view id) const {
    return key(name) + ':' + std::string(id);
  }
  std::vector<std::string> weaker_promises() const;

  void die(const std::string& reason);

 private:
  std::string query_command(std::string_view name, std::string_view arguments) const;

  boost::asio::io_context& context_;
  const Url url_;
  const Options options_;
  Link link_;
  WriteStream writes_;
  ReadSet reads_;
  std::optional<GreetingFailure> failure_;  // the last one
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
};

template <typename T, typename Read>
void Store::Engine::write(std::string operation, Read read, Completion<Result<T>> done) {
  writes_.push(std::move(operation), [read = std::move(read), done = std::move(done)](
                                         std::expected<Unpacker, std::string> answer) mutable {
    if (!answer) return done(fail("unavailable", std::move(answer.error())));
    done(read(*answer));
  });
}

template <typename T, typename Read>
void Store::Engine::query(std::string_view name, std::string arguments, Read read,
                          Completion<Result<T>> done) {
  reads_.push(query_command(name, arguments),
              [read = std::move(read), done = std::move(done)](Result<Reply> reply) mutable {
                if (!reply) return done(std::unexpected(std::move(reply.error())));
                Unpacker answer(reply->text);
                answer.array();
                answer.text();  // "done"
                done(read(answer));
              });
}

template <typename T, typename Read>
void Store::Engine::ask(std::string command, Read read, Completion<Result<T>> done) {
  reads_.push(std::move(command),
              [read = std::move(read), done = std::move(done)](Result<Reply> reply) mutable {
                if (!reply) return done(std::unexpected(std::move(reply.error())));
                done(read(*std::move(reply)));
              });
}

}  // namespace ganglion::redis
