// The small parts: targets, routes, the gate, deadlines, problems, options.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "ingress/http/access.h"
#include "ingress/http/deadline_wheel.h"
#include "ingress/http/exchange.h"
#include "ingress/http/http_date.h"
#include "ingress/http/problem.h"
#include "ingress/http/request_reader.h"
#include "ingress/http/router.h"
#include "ingress/http/target.h"

namespace ganglion::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

Request request_with(const std::string& headers) {
  static const ReaderLimits limits;
  RequestReader reader(limits);
  reader.feed("POST /v1/runs HTTP/1.1\r\n" + headers + "\r\n");
  return reader.take();
}

TEST(Target, decodes_segments_and_parameters_after_splitting_them) {
  const auto target = parse_target("/v1/a%2Fb/c+d?x=1+2&label=team%3Da&label=b&flag&=e&#no");
  ASSERT_TRUE(target);
  EXPECT_THAT(target->segments, ElementsAre("v1", "a/b", "c+d"));
  EXPECT_THAT(target->query, ElementsAre(Pair("x", "1 2"), Pair("label", "team=a"), Pair("label", "b"),
                                         Pair("flag", ""), Pair("", "e")));
  EXPECT_EQ(target->parameter("label"), "team=a");
  EXPECT_EQ(target->parameter("none"), std::nullopt);
}

TEST(Target, accepts_the_absolute_form) {
  EXPECT_THAT(parse_target("http://host:1/a?b=c")->segments, ElementsAre("a"));
  EXPECT_THAT(parse_target("http://host")->segments, ElementsAre(""));
}

TEST(Target, refuses_what_it_cannot_decode) {
  for (const char* text : {"/%", "/%4", "/%zz", "/%00", "/%0a", "/%ff", "/?a=%c3", "", "*", "a", "/%c0%af"}) {
    EXPECT_FALSE(parse_target(text)) << text;
  }
}

struct Routes {
  Router router;
  Routes() {
    for (const char* pattern : {"/", "/v1/runs", "/v1/runs/{id}", "/v1/runs/{id}/journal"}) {
      router.add(Method::get, pattern, [](Request, Responder) {});
    }
    router.add(Method::post, "/v1/runs", [](Request, Responder) {});
  }
  auto find(Method method, const char* target) { return router.find(method, *parse_target(target)); }
};

TEST(Router, finds_a_route_with_its_parameters) {
  Routes routes;
  const auto found = std::get<Router::Match>(routes.find(Method::get, "/v1/runs/x%2Fy/journal"));
  EXPECT_EQ(found.route->pattern, "/v1/runs/{id}/journal");
  EXPECT_THAT(found.parameters, ElementsAre("x/y"));
  EXPECT_EQ(std::get<Router::Match>(routes.find(Method::head, "/")).route->pattern, "/");
}

TEST(Router, tells_an_unknown_path_from_another_method) {
  Routes routes;
  for (const char* path : {"/v2", "/v1", "/v1/runs/", "/v1/runs/a/b", "/v1//runs", "/v1/runs/a/journal/"}) {
    EXPECT_TRUE(std::holds_alternative<Router::NotFound>(routes.find(Method::get, path))) << path;
  }
  EXPECT_EQ(std::get<Router::OtherMethods>(routes.find(Method::delete_, "/v1/runs")).allow,
            "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(std::get<Router::OtherMethods>(routes.find(Method::post, "/v1/runs/a")).allow,
            "GET, HEAD, OPTIONS");
}

std::string refusal(const Options& options, const std::string& headers, Access access = Access::token) {
  const auto problem = Gate(options).refuse(request_with(headers), access);
  return problem ? problem->code : "";
}

TEST(Gate, on_loopback_answers_only_to_loopback_names) {
  Options options;
  options.allowed_hosts = {"ganglion.test"};
  for (const char* host :
       {"localhost", "LOCALHOST:7420", "127.0.0.1", "127.0.0.1:80", "[::1]:7420", "ganglion.test"}) {
    EXPECT_EQ(refusal(options, std::string("Host: ") + host + "\r\n"), "") << host;
  }
  for (const char* host : {"evil.example", "localhost.evil.example", "evil.example:7420", "127.0.0.1.evil",
                           "[::1", "[::1]evil", "localhost:evil", ""}) {
    EXPECT_EQ(refusal(options, std::string("Host: ") + host + "\r\n"), "host_not_allowed") << host;
  }
}

TEST(Gate, beyond_loopback_checks_names_only_if_there_is_a_list) {
  Options options;
  options.address = "0.0.0.0";
  options.tokens = {"t"};
  EXPECT_EQ(refusal(options, "Host: any.example\r\nAuthorization: Bearer t\r\n"), "");
  options.allowed_hosts = {"me.example"};
  EXPECT_EQ(refusal(options, "Host: any.example\r\nAuthorization: Bearer t\r\n"), "host_not_allowed");
  EXPECT_EQ(refusal(options, "Host: me.example:1\r\nAuthorization: Bearer t\r\n"), "");
}

TEST(Gate, refuses_web_pages_of_another_origin) {
  const Options options;
  EXPECT_EQ(refusal(options, "Host: localhost:1\r\nOrigin: http://localhost:1\r\n"), "");
  EXPECT_EQ(refusal(options, "Host: localhost:1\r\nOrigin: https://localhost:1\r\n"), "");
  for (const char* origin :
       {"http://evil.example", "http://localhost:2", "null", "http://localhost:1.evil", ""}) {
    EXPECT_EQ(refusal(options, std::string("Host: localhost:1\r\nOrigin: ") + origin + "\r\n"),
              "origin_not_allowed");
  }
}

TEST(Gate, wants_one_of_the_tokens) {
  Options options;
  options.tokens = {"first-token", "second"};
  const std::string host = "Host: localhost\r\n";
  for (const char* good : {"Bearer first-token", "bearer second"}) {
    EXPECT_EQ(refusal(options, host + "Authorization: " + good + "\r\n"), "");
  }
  for (const char* bad : {"Bearer first-toke", "Bearer first-tokenx", "Bearer firstytoken", "Bearer ",
                          "Bearer", "second", "Basic second", "Bearer  second", "Bearer secondsecond"}) {
    EXPECT_EQ(refusal(options, host + "Authorization: " + bad + "\r\n"), "unauthorized") << bad;
  }
  EXPECT_EQ(refusal(options, host), "unauthorized");
  EXPECT_EQ(refusal(options, host, Access::anyone), "");
}

TEST(Options, a_server_beyond_loopback_needs_a_token) {
  Options options;
  EXPECT_TRUE(validate(options));
  for (const char* address : {"0.0.0.0", "::", "10.0.0.1", "8.8.8.8", "::2"}) {
    options.address = address;
    options.tokens.clear();
    EXPECT_EQ(validate(options).error().code, "token_required") << address;
    options.tokens = {"t"};
    EXPECT_TRUE(validate(options)) << address;
  }
  for (const char* address : {"127.0.0.1", "127.9.9.9", "::1"}) {
    options.tokens.clear();
    options.address = address;
    EXPECT_TRUE(validate(options)) << address;
  }
  options.address = "localhost";
  EXPECT_EQ(validate(options).error().code, "invalid_option");
}

TEST(Options, a_bound_out_of_range_is_named) {
  Options options;
  options.request.body = 1023;
  EXPECT_THAT(validate(options).error().message, HasSubstr("request.body is 1023"));
  options = {};
  options.header_timeout = Duration{99};
  EXPECT_THAT(validate(options).error().message, HasSubstr("header_timeout"));
  options = {};
  options.max_connections = 0;
  EXPECT_FALSE(validate(options));
}

struct Probe final : DeadlineWheel::Entry {
  void deadline_passed() override { ++passed; }
  int passed = 0;
};

TEST(DeadlineWheel, fires_once_not_early_and_at_most_one_tick_late) {
  DeadlineWheel wheel;
  const Timestamp start(1'700'000'000'123);
  wheel.advance(start);
  // One tick, near the wheel's end, beyond its circumference, a day.
  for (const std::int64_t after : {0, 1, 249, 250, 251, 63'999, 64'000, 64'001, 200'000, 86'400'000}) {
    Probe probe;
    wheel.arm(probe, start + Duration{after});
    Timestamp now = start;
    while (probe.passed == 0) {
      now = now + DeadlineWheel::kTick;
      wheel.advance(now);
      ASSERT_LE(now - start, Duration{after} + 2 * DeadlineWheel::kTick);
    }
    EXPECT_GE(now - start, Duration{after});
    wheel.advance(now + Duration{1'000'000});
    EXPECT_EQ(probe.passed, 1);
    EXPECT_TRUE(wheel.empty());
    wheel = DeadlineWheel();
    wheel.advance(start);
  }
}

TEST(DeadlineWheel, a_jump_over_a_whole_round_fires_everything_that_is_due) {
  DeadlineWheel wheel;
  wheel.advance(Timestamp(1'000'000));
  std::array<Probe, 100> probes;
  for (std::size_t i = 0; i < probes.size(); ++i)
    wheel.arm(probes[i], Timestamp(1'000'000) + Duration{i * 1000});
  wheel.advance(Timestamp(1'000'000) + Duration{98'500});
  for (std::size_t i = 0; i < probes.size(); ++i) EXPECT_EQ(probes[i].passed, i < 99 ? 1 : 0) << i;
}

TEST(DeadlineWheel, disarmed_and_destroyed_entries_stay_silent_also_within_a_callback) {
  struct Killer final : DeadlineWheel::Entry {
    void deadline_passed() override {
      victim.reset();
      if (other) wheel->disarm(*other);
    }
    DeadlineWheel* wheel = nullptr;
    std::unique_ptr<Probe> victim = std::make_unique<Probe>();
    Probe* other = nullptr;
  };
  DeadlineWheel wheel;
  Killer killer;
  Probe other;
  killer.wheel = &wheel;
  killer.other = &other;
  wheel.arm(*killer.victim, Timestamp(10));
  wheel.arm(other, Timestamp(10));
  wheel.arm(killer, Timestamp(10));
  wheel.advance(Timestamp(20));
  EXPECT_EQ(other.passed, 0);
  EXPECT_TRUE(wheel.empty());
}

TEST(Problem, is_rfc_9457_with_a_code_and_the_errors_by_path) {
  const Response response = to_response({.status = 422,
                                         .code = "invalid",
                                         .detail = "the input \"x\"",
                                         .errors = {{"/input/a", "must be a number"}, {"", "is odd"}},
                                         .retry_after = Duration{1001}});
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(response.body,
            R"({"type":"urn:ganglion:problem:invalid","title":"Unprocessable Content","status":422,)"
            R"("detail":"the input \"x\"","code":"invalid",)"
            R"("errors":[{"path":"/input/a","message":"must be a number"},{"path":"","message":"is odd"}]})");
  EXPECT_THAT(response.headers, ElementsAre(Pair("Retry-After", "2")));
}

TEST(HttpDate, is_imf_fixdate) {
  EXPECT_EQ(http_date(Timestamp(784111777000)), "Sun, 06 Nov 1994 08:49:37 GMT");
}

}  // namespace
}  // namespace ganglion::http
