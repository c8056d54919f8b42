#include "ingress/journal_stream.h"

#include <utility>

#include "core/run_json.h"
#include "ports/store.h"

namespace ganglion::ingress {
namespace {

constexpr std::uint32_t kPage = 20;

}  // namespace

void JournalStream::begin(const Dependencies& dependencies, RunId run, std::uint64_t after,
                          http::Responder responder) {
  // Nobody would tell a follower to leave whose client has gone before it came.
  if (!responder.open()) return;
  std::make_shared<JournalStream>(dependencies, std::move(run), after)->start(std::move(responder));
}

void JournalStream::start(http::Responder responder) {
  const auto self = shared_from_this();
  follower_ = dependencies_.coordinator.follow(
      run_, [self](std::span<const JournalEntry> entries, const Run& run) { self->committed(entries, run); });
  responder.on_interrupt([self](http::Interrupt) { self->leave(); });
  stream_ = responder.start_stream();
  read();
}

void JournalStream::read() {
  if (left_) return;
  reading_ = true;
  live_ = false;
  if (!stream_.ready()) return stream_.on_ready([self = shared_from_this()] { self->read(); });
  dependencies_.store.read_journal(run_, sent_, kPage,
                                   [self = shared_from_this()](Result<std::vector<JournalEntry>> page) {
                                     self->page_read(std::move(page));
                                   });
}

void JournalStream::page_read(Result<std::vector<JournalEntry>> page) {
  if (left_) return;
  reading_ = false;
  if (!page) return leave();
  if (!send(*page) || page->size() == kPage) return read();
  caught_up();
}

// Reading has found nothing more: is it the end, or has something been committed meanwhile?
void JournalStream::caught_up() {
  reading_ = true;
  dependencies_.coordinator.inspect(run_, [self = shared_from_this()](Result<const Run*> run) {
    self->reading_ = false;
    if (self->left_) return;
    if (!run) return self->leave();
    if ((*run)->version() > self->sent_) return self->read();
    if ((*run)->ended()) return self->leave();
    self->live_ = true;
  });
}

void JournalStream::committed(std::span<const JournalEntry> entries, const Run& run) {
  if (left_ || reading_) return;  // what is being read, or looked at, includes these or is read again
  const bool next = live_ && !entries.empty() && entries.front().seq == sent_ + 1;
  if (!next || !send(entries)) return read();
  if (run.ended()) leave();
}

bool JournalStream::send(std::span<const JournalEntry> entries) {
  for (const JournalEntry& entry : entries) {
    if (!stream_.ready()) return false;
    stream_.send(std::to_string(entry.seq), "", entry_json(entry));
    sent_ = entry.seq;
  }
  return true;
}

void JournalStream::leave() {
  if (std::exchange(left_, true)) return;
  dependencies_.coordinator.unfollow(run_, follower_);
  stream_.end();
}

}  // namespace ganglion::ingress
