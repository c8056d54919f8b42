#include "agents/http/secrets.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

namespace ganglion::agents {
namespace {

SecretSource source(std::map<std::string, std::string> secrets) {
  return [secrets = std::move(secrets)](const std::string& name) -> std::optional<std::string> {
    const auto at = secrets.find(name);
    if (at == secrets.end()) return std::nullopt;
    return at->second;
  };
}

TEST(Secrets, AreFilledInWhereverTheyStand) {
  SecretSource secrets = source({{"KEY", "k1"}, {"HOST", "example.com"}});
  EXPECT_EQ(fill_in_secrets("Bearer ${{ secrets.KEY }}", secrets), "Bearer k1");
  EXPECT_EQ(fill_in_secrets("https://${{secrets.HOST}}/a?k=${{  secrets.KEY  }}&b", secrets),
            "https://example.com/a?k=k1&b");
  EXPECT_EQ(fill_in_secrets("plain $ {{ }}", secrets), "plain $ {{ }}");
}

TEST(Secrets, AValueThatLooksLikeASecretIsNotFilledInAgain) {
  SecretSource secrets = source({{"KEY", "${{ secrets.OTHER }}"}, {"OTHER", "no"}});
  EXPECT_EQ(fill_in_secrets("${{ secrets.KEY }}", secrets), "${{ secrets.OTHER }}");
}

TEST(Secrets, AMissingOneIsNamed) {
  SecretSource secrets = source({});
  const auto filled = fill_in_secrets("${{ secrets.API_KEY }}", secrets);
  ASSERT_FALSE(filled);
  EXPECT_EQ(filled.error().code, "missing_secret");
  EXPECT_NE(filled.error().message.find("API_KEY"), std::string::npos);
}

TEST(Secrets, AValueWithALineEndIsRefusedAndNotShown) {
  SecretSource secrets = source({{"KEY", "hidden\r\nX-Other: 1"}});
  const auto filled = fill_in_secrets("${{ secrets.KEY }}", secrets);
  ASSERT_FALSE(filled);
  EXPECT_EQ(filled.error().message.find("hidden"), std::string::npos);
}

TEST(Secrets, OtherExpressionsAreRefused) {
  SecretSource secrets = source({{"KEY", "k"}});
  for (const char* text : {"${{ input.key }}", "${{ secrets. }}", "${{ secrets.KEY + 'x' }}", "${{ }}"}) {
    EXPECT_FALSE(fill_in_secrets(text, secrets)) << text;
  }
}

TEST(Secrets, ComeFromTheEnvironmentAsItIsNow) {
  ::unsetenv("GANGLION_TEST_SECRET");
  EXPECT_EQ(secret_from_environment("GANGLION_TEST_SECRET"), std::nullopt);
  ::setenv("GANGLION_TEST_SECRET", "rotated", 1);
  EXPECT_EQ(secret_from_environment("GANGLION_TEST_SECRET"), "rotated");
  ::unsetenv("GANGLION_TEST_SECRET");
}

}  // namespace
}  // namespace ganglion::agents
