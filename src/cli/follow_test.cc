#include "cli/follow.h"

#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <vector>

#include "cli/event_stream.h"
#include "cli/scripted_server.h"
#include "cli/sub_run_demands.h"

namespace ganglion::cli {
namespace {

TEST(Follow, a_stream_that_breaks_off_after_the_end_of_the_run_is_no_lost_connection) {
  const std::string entry = R"({"seq":1,"at":"2026-01-01T00:00:00.000Z","type":"run_completed","data":{}})";
  const std::string run = R"({"id":"r","status":"completed","version":1})";
  ScriptedServer server(
      {"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 100000\r\n\r\n"
       "id: 1\ndata: " +
           entry + "\n\n",
       "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(run.size()) + "\r\n\r\n" +
           run});
  Connection connection{Where::named_server, nullptr, std::make_unique<Api>(server.address(), std::nullopt)};
  JournalCursor cursor{"r"};
  std::vector<std::string> notes;
  const FollowSink sink{.on_entry = [](const JournalEntry&) {},
                        .on_tick = [] {},
                        .on_note = [&](const std::string& line) { notes.push_back(line); }};
  const Interrupts interrupts;
  const auto end = follow(connection, nullptr, cursor, sink, interrupts);
  ASSERT_TRUE(end) << end.error().text;
  EXPECT_EQ(*end, FollowEnd::run_ended);
  EXPECT_EQ(cursor.last_seq, 1u);
  EXPECT_TRUE(notes.empty());
  EXPECT_EQ(server.requests(), (std::vector<std::string>{"GET /v1/runs/r/journal", "GET /v1/runs/r"}));
}

std::string event_stream(const std::string& events) {
  // A length that is never reached: the connection breaks off.
  return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 100000\r\n\r\n" + events;
}

TEST(FollowEvents, goes_on_after_a_lost_connection_with_what_is_new_and_only_that) {
  ScriptedServer server(
      {event_stream("id: 4\ndata: {\"seq\":4}\n\nid: 6\ndata: {\"seq\":6}\n\nid: 7\nda"),
       event_stream("id: 6\ndata: {\"seq\":6}\n\n: comment\n\nid: 7\ndata: {\"seq\":7}\n\n")});
  Connection connection{Where::named_server, nullptr, std::make_unique<Api>(server.address(), std::nullopt)};
  EventCursor cursor{.topic = "file.*", .last_seq = 3};
  std::vector<std::string> events, notes;
  const Interrupts interrupts;
  const EventSink sink{.on_event =
                           [&](const std::string& event) {
                             events.push_back(event);
                             if (event.contains("7")) std::raise(SIGINT);
                           },
                       .on_note = [&](const std::string& line) { notes.push_back(line); }};
  const auto followed = follow_events(connection, nullptr, cursor, sink, interrupts);
  ASSERT_TRUE(followed) << followed.error().text;
  EXPECT_EQ(events, (std::vector<std::string>{R"({"seq":4})", R"({"seq":6})", R"({"seq":7})"}));
  EXPECT_EQ(notes.size(), 1u);
  EXPECT_EQ(server.requests(), (std::vector<std::string>{"GET /v1/events?after=3&topic=file.%2A",
                                                         "GET /v1/events?after=6&topic=file.%2A"}));
}

TEST(FollowEvents, a_refusal_ends_it_at_once) {
  const std::string problem = R"({"code":"invalid","detail":"a pattern has no empty part"})";
  ScriptedServer server({"HTTP/1.1 422 No\r\nConnection: close\r\nContent-Length: " +
                         std::to_string(problem.size()) + "\r\n\r\n" + problem});
  Connection connection{Where::named_server, nullptr, std::make_unique<Api>(server.address(), std::nullopt)};
  EventCursor cursor{.topic = "a..b"};
  const Interrupts interrupts;
  const EventSink sink{.on_event = [](const std::string&) {}, .on_note = [](const std::string&) {}};
  const auto followed = follow_events(connection, nullptr, cursor, sink, interrupts);
  ASSERT_FALSE(followed);
  EXPECT_EQ(followed.error().exit, ExitCode::usage);
  EXPECT_EQ(followed.error().text, "a pattern has no empty part");
}

TEST(SubRunDemands, tells_once_what_waits_in_a_run_below) {
  const auto answer = [](const std::string& body) {
    return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  };
  const std::string approvals =
      answer(R"({"items":[{"id":"top-0-0-1","run_id":"top","step":"own","item":null,"by":[]},)"
             R"({"id":"low-0-0-1","run_id":"low","step":"ask","item":null,"by":["alice"]},)"
             R"({"id":"other-0-2-1","run_id":"other","step":"ask","item":2,"by":[]}],"next_cursor":null})");
  ScriptedServer server({approvals, answer(R"({"id":"low","parent":{"run_id":"middle"}})"),
                         answer(R"({"id":"middle","parent":{"run_id":"top"}})"),
                         answer(R"({"id":"other","parent":null})"), approvals});
  Api api(server.address(), std::nullopt);
  SubRunDemands demands("top", " --store s");
  EXPECT_EQ(demands.ask(api), (std::vector<std::string>{
                                  "step ask of sub-run low waits for alice:\n  ganglion approvals approve "
                                  "low/ask --by NAME --store s"}));
  EXPECT_FALSE(demands.is_due());
  EXPECT_TRUE(demands.ask(api).empty()) << "nothing of it is new, and no run is asked for twice";
  EXPECT_EQ(server.requests().size(), 5u);
}

TEST(Interrupts, a_hangup_is_something_to_wait_for_where_it_is_asked_for) {
  const Interrupts interrupts(Hangups::wake);
  std::raise(SIGHUP);
  std::raise(SIGHUP);
  EXPECT_EQ(interrupts.wait(), Wake::hangup);
  EXPECT_FALSE(interrupts.arrived());
  EXPECT_FALSE(interrupts.wait_for(Duration(0)));
  std::raise(SIGHUP);
  EXPECT_EQ(interrupts.wait(), Wake::hangup) << "and again";
  std::raise(SIGINT);
  EXPECT_EQ(interrupts.wait(), Wake::interrupt);
  EXPECT_TRUE(interrupts.arrived());
}

}  // namespace
}  // namespace ganglion::cli
