#include "adapters/kafka/session.h"

#include <algorithm>
#include <random>

#include "base/asio/asio.h"

namespace ganglion::kafka {
namespace {

constexpr std::chrono::milliseconds kSignOfLife{500};
constexpr std::chrono::milliseconds kDeaf{1'500};  // so long without its own words, it judges nobody
constexpr std::chrono::milliseconds kSilence{2'000};
constexpr std::chrono::milliseconds kSayAgain{1'000};
constexpr std::chrono::milliseconds kTryAgain{200};
constexpr std::chrono::milliseconds kGoodbye{500};
constexpr std::uint64_t kCheckpointEvery = 20'000;  // entries

std::string fresh_session() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::random_device random;
  std::string id;
  for (int i = 0; i < 16; ++i) id += kDigits[random() % kDigits.size()];
  return id;
}

std::vector<Range> ranges_of(std::vector<Offset> places) {
  std::ranges::sort(places);
  std::vector<Range> ranges;
  for (const Offset place : places) {
    if (!ranges.empty() && ranges.back().last + 1 == place)
      ranges.back().last = place;
    else
      ranges.push_back({place, place});
  }
  return ranges;
}

}  // namespace

Session::Session(asio::io_context& context, Producer& producer, Reader& reader, const Names& names,
                 Hooks hooks)
    : context_(context),
      producer_(producer),
      reader_(reader),
      topic_(names.ledger()),
      hooks_(std::move(hooks)) {}

Session::~Session() {
  if (!is_live()) return;
  words_.emplace_back(word::Leave{});
  speak();
  producer_.finish(kGoodbye);
}

void Session::start() {
  own_heard_ = in_touch_since_ = Steady::now();
  reader_.start(topic_, Reader::kBeginning, [this](const Record& record) { heard(record); });
  begin();
}

// Questions that wait for an answer wait on.
void Session::begin() {
  id_ = fresh_session();
  number_ = 0;
  words_ = {word::Hello{}};
  done_.clear();
  refused_.clear();
  for (auto& [number, syncs] : unheard_) std::ranges::move(syncs, std::back_inserter(syncs_));
  unheard_.clear();
  inheriting_.clear();
  speak_soon();
}

// --- saying

void Session::say(Word word) {
  words_.push_back(std::move(word));
  speak_soon();
}

void Session::done(const std::string& queue, Offset made, Offset place) {
  done_[{queue, made}].push_back(place);
  speak_soon();
}

void Session::sync(std::function<void()> heard) {
  syncs_.push_back(std::move(heard));
  speak_soon();
}

void Session::speak_soon() {
  if (std::exchange(speaks_soon_, true)) return;
  asio::post(context_, [this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) speak();
  });
}

void Session::speak() {
  speaks_soon_ = false;
  if (waits_) return;
  Entry entry{.session = id_, .number = ++number_, .words = {}};
  for (auto& [queue, places] : std::exchange(done_, {}))
    entry.words.emplace_back(word::Done{queue.first, queue.second, ranges_of(std::move(places))});
  std::ranges::move(std::exchange(words_, {}), std::back_inserter(entry.words));
  unheard_.emplace_back(entry.number, std::exchange(syncs_, {}));
  publish(text_of(entry));
}

// An entry that isn't taken is said again, and nothing before it. One that was taken and not confirmed may be
// there or not: then it is another session that goes on.
void Session::publish(std::string entry) {
  spoke_ = Steady::now();
  const bool is_taken = producer_.insist(topic_, entry, [this, session = id_](const Result<Offset>& sent) {
    if (sent || session != id_) return;
    waits_ = true;
    hooks_.lost();
    begin();
  });
  if (is_taken) return;
  waits_ = true;
  refused_ = std::move(entry);
}

void Session::resume() {
  waits_ = false;
  if (!refused_.empty()) publish(std::exchange(refused_, {}));
  speak_soon();
}

// --- hearing

void Session::heard(const Record& record) {
  if (knows_all_ && record.offset != next_) {  // it was away for longer than entries are kept
    knows_all_ = false;
    early_.clear();
    ledger_ = {};
    hooks_.lost();
    begin();
  }
  next_ = record.offset + 1;
  if (!knows_all_) return catch_up(record);
  if (const auto entry = read_entry(record.message.body)) return apply(record.offset, *entry);
  if (Ledger::read(record.message.body)) since_checkpoint_ = 0;
}

// A reader that comes later finds a text of the ledger, and the entries since the one that it is of.
void Session::catch_up(const Record& record) {
  if (record.offset == 0) take_up(-1, {});
  if (auto entry = read_entry(record.message.body)) {
    if (knows_all_) return apply(record.offset, *entry);
    early_.emplace_back(record.offset, std::move(*entry));
  } else if (auto checkpoint = Ledger::read(record.message.body); checkpoint && !knows_all_) {
    take_up(checkpoint->first, std::move(checkpoint->second));
  }
}

void Session::take_up(Offset offset, Ledger ledger) {
  ledger_ = std::move(ledger);
  knows_all_ = true;
  since_checkpoint_ = 0;
  const std::weak_ptr alive = alive_;
  for (const auto& [at, entry] : std::exchange(early_, {})) {
    if (at > offset) apply(at, entry);
    if (alive.expired()) return;
  }
}

// Whoever is called may destroy everything.
void Session::apply(Offset offset, const Entry& entry) {
  const std::weak_ptr alive = alive_;
  const auto now = Steady::now();
  last_heard_[entry.session] = now;
  const bool was_live = is_live();
  const std::vector<Change> changes = ledger_.apply(offset, entry);
  ++since_checkpoint_;
  bool ended = false;
  for (const Change& change : changes) {
    if (const auto* end = std::get_if<Ended>(&change); end != nullptr && end->session == id_) ended = true;
    hooks_.changed(change);
    if (alive.expired()) return;
  }
  if (ended) {
    hooks_.lost();
    return begin();
  }
  if (!was_live && is_live()) hooks_.began();
  if (alive.expired()) return;
  if (entry.session == id_) return own_heard(entry.number);
  if (!changes.empty() && is_live()) watch_others();  // somebody may have left
}

void Session::own_heard(std::uint64_t number) {
  own_heard_ = Steady::now();
  const std::weak_ptr alive = alive_;
  while (!unheard_.empty() && unheard_.front().first <= number) {
    auto syncs = std::move(unheard_.front().second);
    unheard_.pop_front();
    for (const auto& heard : syncs) {
      heard();
      if (alive.expired()) return;
    }
  }
}

// --- time

void Session::tick() {
  const auto now = Steady::now();
  if (now - own_heard_ > kDeaf) in_touch_since_ = now;
  if (waits_ && now - spoke_ >= kTryAgain) resume();
  if (unheard_.empty() && now - spoke_ > kSignOfLife) speak_soon();
  if (!is_live()) return;
  watch_others();
  if (!is_keeper() || since_checkpoint_ < kCheckpointEvery || now - checkpoint_sent_ < kSilence) return;
  checkpoint_sent_ = now;
  const Offset offset = next_ - 1;
  producer_.send(topic_, 0, {}, ledger_.text(offset), [this, offset](const Result<Offset>& sent) {
    if (sent) hooks_.shorten(offset + 1);
  });
}

void Session::watch_others() {
  const auto now = Steady::now();
  std::erase_if(last_heard_, [&](const auto& heard) { return !ledger_.sessions().contains(heard.first); });
  std::erase_if(inheriting_, [&](const auto& one) { return !ledger_.sessions().contains(one.first); });
  for (const auto& [session, state] : ledger_.sessions()) {
    if (session == id_) continue;
    const auto last = last_heard_.try_emplace(session, now).first->second;
    const bool silent = now - in_touch_since_ > kSilence && now - last > kSilence;
    if (!state.left && !silent) continue;
    const auto [asked, is_new] = inheriting_.try_emplace(session, now);
    if (!is_new && now - asked->second < kSayAgain) continue;
    asked->second = now;
    say(word::Inherit{session});
  }
}

}  // namespace ganglion::kafka
