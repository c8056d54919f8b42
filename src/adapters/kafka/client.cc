#include "adapters/kafka/client.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cstdint>

#include "base/asio/asio.h"
#include "base/assert.h"

namespace ganglion::kafka {
namespace {

constexpr std::size_t kErrorBytes = 512;
constexpr std::uint64_t kOne = 1;  // what an eventfd is told

void ignore(const rd_kafka_t*, int, const char*, const char*) {}

Settings settings_for(const ClientOptions& options) {
  const std::string silence = std::to_string(options.silence.count());
  return {
      {"bootstrap.servers", options.servers},
      {"client.id", "ganglion"},
      {"socket.timeout.ms", silence},
      {"socket.connection.setup.timeout.ms", std::to_string(std::max<long>(options.silence.count(), 1000))},
      {"socket.nagle.disable", "true"},
      {"reconnect.backoff.ms", "20"},
      {"reconnect.backoff.max.ms", "1000"},
      {"topic.metadata.refresh.fast.interval.ms", "50"},
      {"log.connection.close", "false"}};
}

}  // namespace

Result<Owned<rd_kafka_t>> open_client(rd_kafka_type_t type, const ClientOptions& options,
                                      const Settings& more, int events) {
  Settings settings = settings_for(options);
  settings.insert(settings.end(), more.begin(), more.end());
  rd_kafka_conf_t* conf = rdkafka().conf_new();
  rdkafka().conf_set_log_cb(conf, ignore);  // what matters comes as an event
  rdkafka().conf_set_events(conf, events);
  std::array<char, kErrorBytes> error{};
  for (const auto& [name, value] : settings) {
    if (rdkafka().conf_set(conf, name.c_str(), value.c_str(), error.data(), error.size()) == RD_KAFKA_CONF_OK)
      continue;
    rdkafka().conf_destroy(conf);
    return fail("bus_unavailable", "librdkafka doesn't take a setting: " + std::string(error.data()));
  }
  Owned<rd_kafka_t> handle(rdkafka().new_(type, conf, error.data(), error.size()));
  if (handle) return handle;
  rdkafka().conf_destroy(conf);
  return fail("bus_unavailable", "librdkafka doesn't start: " + std::string(error.data()));
}

class Signal::Watch : public std::enable_shared_from_this<Watch> {
 public:
  Watch(asio::io_context& context, rd_kafka_queue_t* queue, std::function<void()> fired)
      : queue_(queue),
        fired_(std::move(fired)),
        descriptor_(context, ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    GANGLION_ASSERT(descriptor_.native_handle() >= 0);
    rdkafka().queue_io_event_enable(queue_, descriptor_.native_handle(), &kOne, sizeof kOne);
  }

  void wait() {
    descriptor_.async_wait(asio::posix::descriptor_base::wait_read,
                           [self = shared_from_this()](const boost::system::error_code& error) {
                             if (!error && !self->closed_) self->wake();
                           });
  }

  void again() { (void)!::write(descriptor_.native_handle(), &kOne, sizeof kOne); }

  // Handlers that are due find it closed; librdkafka writes to the descriptor no more.
  void close() {
    closed_ = true;
    rdkafka().queue_io_event_enable(queue_, -1, nullptr, 0);
    boost::system::error_code ignored;
    descriptor_.close(ignored);
  }

 private:
  void wake() {
    std::uint64_t count = 0;
    (void)!::read(descriptor_.native_handle(), &count, sizeof count);
    const auto self = shared_from_this();
    fired_();
    if (!closed_) wait();
  }

  rd_kafka_queue_t* const queue_;
  const std::function<void()> fired_;
  asio::posix::basic_stream_descriptor<LoopExecutor> descriptor_;
  bool closed_ = false;
};

Signal::Signal(asio::io_context& context, rd_kafka_queue_t* queue, std::function<void()> fired)
    : watch_(std::make_shared<Watch>(context, queue, std::move(fired))) {
  watch_->wait();
  watch_->again();  // for what came before
}

Signal::~Signal() {
  watch_->close();
}

void Signal::again() {
  watch_->again();
}

}  // namespace ganglion::kafka
