#include "adapters/rabbitmq/errands.h"

#include <utility>

#include "base/asio/asio.h"

namespace ganglion::rabbitmq {
namespace {

Answer answer_of(const Incoming& incoming) {
  Answer answer{.method = incoming.method};
  if (incoming.method == AMQP_QUEUE_DECLARE_OK_METHOD)
    answer.messages = incoming.as<amqp_queue_declare_ok_t>().message_count;
  if (incoming.content != nullptr) answer.message = std::move(incoming.content->message);
  return answer;
}

// Everything that was got and not acknowledged.
void give_back(Connection& connection, Channel channel) {
  amqp_basic_nack_t nack{};
  nack.multiple = 1;
  nack.requeue = 1;
  connection.send(channel, AMQP_BASIC_NACK_METHOD, nack);
}

}  // namespace

Errands::Errands(asio::io_context& context, Link& link, std::chrono::milliseconds patience)
    : context_(context), link_(link), patience_(patience) {}

Errands::~Errands() = default;

void Errands::run(std::size_t answers, Ask ask, Done done) {
  if (errands_.size() >= kMaxErrands) {
    asio::post(context_, [done = std::move(done), alive = std::weak_ptr(alive_)]() mutable {
      if (!alive.expired())
        done(std::unexpected(
            ErrandFailure{.reason = "too many questions wait for RabbitMQ; try again later"}));
    });
    return;
  }
  const auto errand =
      errands_
          .emplace(
              ++last_number_,
              Errand{.due = answers, .ask = std::move(ask), .done = std::move(done), .made = Steady::now()})
          .first;
  if (link_.ready()) send(errand->first, errand->second);
}

void Errands::ready() {
  for (auto& [number, errand] : errands_) {
    if (errand.channel == 0) send(number, errand);
  }
}

void Errands::lost() {
  for (auto& [number, errand] : errands_) errand.channel = 0;
}

void Errands::tick() {
  const std::weak_ptr alive = alive_;
  while (!errands_.empty() && errands_.begin()->second.made <= Steady::now() - patience_) {
    finish(errands_.begin()->first,
           std::unexpected(
               ErrandFailure{.reason = "RabbitMQ is not available: " +
                                       (link_.ready() ? "it is too slow" : link_.problem().reason)}));
    if (alive.expired()) return;
  }
}

// Where there is no channel left, the next connection will have one, or the deadline comes.
void Errands::send(std::uint64_t number, Errand& errand) {
  errand.answers.clear();
  errand.channel =
      link_.connection().open_channel([this, number](const Incoming& incoming) { heard(number, incoming); });
  if (errand.channel == 0) return;
  std::string bytes;
  errand.ask(bytes, errand.channel);
  link_.connection().write(bytes);
}

void Errands::heard(std::uint64_t number, const Incoming& incoming) {
  const auto found = errands_.find(number);
  if (found == errands_.end() || incoming.method == AMQP_CHANNEL_OPEN_OK_METHOD) return;
  Errand& errand = found->second;
  if (incoming.method == AMQP_CHANNEL_CLOSE_METHOD) {
    const auto& close = incoming.as<amqp_channel_close_t>();
    errand.channel = 0;
    return finish(number, std::unexpected(ErrandFailure{close.reply_code, text_of(close.reply_text)}));
  }
  errand.answers.push_back(answer_of(incoming));
  if (errand.answers.size() == errand.due) finish(number, std::move(errand.answers));
}

void Errands::finish(std::uint64_t number, std::expected<std::vector<Answer>, ErrandFailure> result) {
  auto errand = errands_.extract(number);
  const Channel channel = errand.mapped().channel;
  if (channel != 0) {
    if (result && result->front().method == AMQP_BASIC_GET_OK_METHOD) give_back(link_.connection(), channel);
    link_.connection().close_channel(channel);
  }
  errand.mapped().done(std::move(result));
}

}  // namespace ganglion::rabbitmq
