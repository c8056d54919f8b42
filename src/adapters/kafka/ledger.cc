#include "adapters/kafka/ledger.h"

#include <algorithm>
#include <utility>

#include "base/url_parts.h"
#include "ports/bus_check.h"

namespace ganglion::kafka {
namespace {

constexpr std::string_view kFormat = "ganglion-ledger 1 ";

// What is left of the spans without the range.
void take_out(std::vector<Span>& spans, const Range& range) {
  std::vector<Span> left;
  for (const Span& span : spans) {
    if (span.range.last < range.first || span.range.first > range.last) {
      left.push_back(span);
      continue;
    }
    if (span.range.first < range.first) left.push_back({{span.range.first, range.first - 1}, span.passed});
    if (span.range.last > range.last) left.push_back({{range.last + 1, span.range.last}, span.passed});
  }
  spans = std::move(left);
}

std::string text_of(const Span& span) {
  return kafka::text_of(span.range) + (span.passed > 0 ? '/' + std::to_string(span.passed) : "");
}

std::optional<Span> read_span(std::string_view text) {
  const auto range = read_range(take_until(text, '/'));
  const auto passed = text.empty() ? 0u : parse_number<std::uint32_t>(text);
  if (!range || !passed) return std::nullopt;
  return Span{*range, *passed};
}

// NAME MADE NEXT OPTIONS
std::optional<std::pair<std::string, LedgerQueue>> read_queue(std::string_view line) {
  const std::string_view name = take_until(line, ' ');
  const auto made = read_offset(take_until(line, ' '));
  const auto next = read_offset(take_until(line, ' '));
  const auto options = read_options(line);
  if (!is_bus_name(name) || !made || !next || !options) return std::nullopt;
  return std::pair(std::string(name), LedgerQueue{.made = *made, .options = *options, .next = *next});
}

}  // namespace

Offset LedgerQueue::first_undone() const {
  Offset first = next;
  for (const auto& [session, spans] : places) {
    for (const Span& span : spans) first = std::min(first, span.range.first);
  }
  return first;
}

std::vector<Change> Ledger::apply(Offset offset, const Entry& entry) {
  Changes changes;
  for (const Word& word : entry.words) {
    const bool counts = std::holds_alternative<word::Hello>(word) || is_live(entry.session);
    if (counts) std::visit([&](const auto& said) { apply(entry.session, offset, said, changes); }, word);
  }
  return changes;
}

const LedgerQueue* Ledger::queue(const std::string& name) const {
  const auto found = queues_.find(name);
  return found == queues_.end() || found->second.going ? nullptr : &found->second;
}

const LedgerQueue* Ledger::going(const std::string& name) const {
  const auto found = queues_.find(name);
  return found != queues_.end() && found->second.going ? &found->second : nullptr;
}

bool Ledger::is_live(const SessionId& session) const {
  const auto found = sessions_.find(session);
  return found != sessions_.end() && !found->second.left;
}

SessionId Ledger::oldest() const {
  const std::pair<const SessionId, LedgerSession>* oldest = nullptr;
  for (const auto& session : sessions_) {
    if (!session.second.left && (oldest == nullptr || session.second.since < oldest->second.since))
      oldest = &session;
  }
  return oldest == nullptr ? SessionId() : oldest->first;
}

void Ledger::apply(const SessionId& session, Offset offset, const word::Hello&, Changes&) {
  sessions_.emplace(session, LedgerSession{.since = offset});
}

void Ledger::apply(const SessionId& session, Offset, const word::Leave&, Changes& changes) {
  sessions_[session].left = true;
  changes.emplace_back(Ended{session});
}

void Ledger::apply(const SessionId& session, Offset, const word::Inherit& inherit, Changes& changes) {
  if (inherit.from == session || sessions_.erase(inherit.from) == 0) return;
  changes.emplace_back(Ended{inherit.from});
  for (auto& [name, queue] : queues_) {
    const auto left = queue.places.extract(inherit.from);
    if (left.empty()) continue;
    for (Span span : left.mapped()) {
      ++span.passed;
      queue.places[session].push_back(span);
      changes.emplace_back(Granted{session, name, span});
    }
  }
}

void Ledger::apply(const SessionId&, Offset offset, const word::Declare& declare, Changes& changes) {
  const auto [found, is_new] =
      queues_.try_emplace(declare.queue, LedgerQueue{.made = offset, .options = {}, .next = declare.begin});
  if (found->second.going) return;
  found->second.options = declare.options;
  if (is_new) changes.emplace_back(Declared{declare.queue});
}

void Ledger::apply(const SessionId&, Offset, const word::Remove& remove, Changes& changes) {
  const auto found = queues_.find(remove.queue);
  if (found == queues_.end() || found->second.made != remove.made) return;
  if (found->second.going) {
    queues_.erase(found);
    return;
  }
  found->second.going = true;
  found->second.places.clear();
  changes.emplace_back(Removed{remove.queue});
}

void Ledger::apply(const SessionId& session, Offset, const word::Want& want, Changes& changes) {
  LedgerQueue* queue = same_queue(want.queue, want.made);
  if (queue == nullptr || queue->next > kMaxOffset - want.count) return;
  const Span span{{queue->next, queue->next + want.count - 1}};
  queue->next += want.count;
  std::vector<Span>& spans = queue->places[session];
  if (!spans.empty() && spans.back().passed == 0 && spans.back().range.last + 1 == span.range.first)
    spans.back().range.last = span.range.last;
  else
    spans.push_back(span);
  changes.emplace_back(Granted{session, want.queue, span});
}

void Ledger::apply(const SessionId& session, Offset, const word::Done& done, Changes&) {
  LedgerQueue* queue = same_queue(done.queue, done.made);
  if (queue == nullptr) return;
  const auto found = queue->places.find(session);
  if (found == queue->places.end()) return;
  for (const Range& range : done.ranges) take_out(found->second, range);
  if (found->second.empty()) queue->places.erase(found);
}

LedgerQueue* Ledger::same_queue(const std::string& name, Offset made) {
  const auto found = queues_.find(name);
  const bool is_it = found != queues_.end() && found->second.made == made && !found->second.going;
  return is_it ? &found->second : nullptr;
}

std::string Ledger::text(Offset offset) const {
  std::string text = std::string(kFormat) + std::to_string(offset);
  for (const auto& [session, state] : sessions_)
    text += (state.left ? "\nleft " : "\nsession ") + session + ' ' + std::to_string(state.since);
  for (const auto& [name, queue] : queues_) {
    text += (queue.going ? "\ngoing " : "\nqueue ") + name + ' ' + std::to_string(queue.made) + ' ' +
            std::to_string(queue.next) + ' ' + kafka::text_of(queue.options);
    for (const auto& [session, spans] : queue.places) {
      text += "\nplaces " + session;
      for (const Span& span : spans) text += ' ' + text_of(span);
    }
  }
  return text;
}

std::optional<std::pair<Offset, Ledger>> Ledger::read(std::string_view text) {
  if (!text.starts_with(kFormat)) return std::nullopt;
  text.remove_prefix(kFormat.size());
  const auto offset = read_offset(take_until(text, '\n'));
  if (!offset) return std::nullopt;
  Ledger ledger;
  LedgerQueue* latest = nullptr;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    const std::string_view kind = take_until(line, ' ');
    if (kind == "session" || kind == "left") {
      const std::string_view session = take_until(line, ' ');
      const auto since = read_offset(line);
      if (!since) return std::nullopt;
      ledger.sessions_.emplace(session, LedgerSession{.since = *since, .left = kind == "left"});
    } else if (kind == "queue" || kind == "going") {
      auto queue = read_queue(line);
      if (!queue) return std::nullopt;
      queue->second.going = kind == "going";
      latest = &ledger.queues_.insert_or_assign(queue->first, std::move(queue->second)).first->second;
    } else if (kind == "places" && latest != nullptr) {
      std::vector<Span>& spans = latest->places[SessionId(take_until(line, ' '))];
      while (!line.empty()) {
        const auto span = read_span(take_until(line, ' '));
        if (!span) return std::nullopt;
        spans.push_back(*span);
      }
    } else {
      return std::nullopt;
    }
  }
  return std::pair(*offset, std::move(ledger));
}

}  // namespace ganglion::kafka
