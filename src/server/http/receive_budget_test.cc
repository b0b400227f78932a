#include "server/http/receive_budget.h"

#include <memory>

#include <gtest/gtest.h>

#include "server/http/http_clients.h"

namespace otlp_arrow {
namespace {

using boost::asio::ip::make_address;

TEST(ReceiveLeaseTest, OneClientTakesHalfAtMost) {
  ReceiveBudget all;
  HttpClient greedy, other;
  ReceiveLease a(&all, &greedy), b(&all, &greedy), c(&all, &other);
  EXPECT_TRUE(a.Take(60, 100)) << "its only request";
  EXPECT_FALSE(b.Take(1, 100)) << "61 of 100";
  EXPECT_EQ(all.body_bytes, 60u);
  EXPECT_TRUE(c.Take(40, 100));
  EXPECT_FALSE(c.Take(1, 100));
  a.Release();
  EXPECT_TRUE(c.Take(10, 100));
  EXPECT_TRUE(b.Take(50, 100));
  EXPECT_EQ(greedy.body_bytes, 50u);
  EXPECT_EQ(other.body_bytes, 50u);
}

TEST(ReceiveLeaseTest, ABodyLargerThanAllGetsThroughAlone) {
  ReceiveBudget all;
  HttpClient client;
  {
    ReceiveLease lease(&all, &client);
    EXPECT_TRUE(lease.Take(200, 100));
    EXPECT_TRUE(lease.Take(200, 100));
    HttpClient other;
    EXPECT_FALSE(ReceiveLease(&all, &other).Take(1, 100));
  }
  EXPECT_EQ(all.body_bytes, 0u);
  EXPECT_EQ(client.body_bytes, 0u);
}

TEST(HttpClientsTest, AddressesOfOneNetworkAreOneClient) {
  HttpClients clients;
  const auto a = clients.Enter(make_address("10.0.0.1"));
  EXPECT_EQ(clients.Enter(make_address("::ffff:10.0.0.1")), a);
  EXPECT_EQ(a->connections, 2u);
  EXPECT_NE(clients.Enter(make_address("10.0.0.2")), a);
  const auto six = clients.Enter(make_address("2001:db8:1:2::1"));
  EXPECT_EQ(clients.Enter(make_address("2001:db8:1:2:ffff::9")), six);
  EXPECT_NE(clients.Enter(make_address("2001:db8:1:3::1")), six);
  EXPECT_EQ(clients.size(), 4u);
  clients.Leave(a);
  EXPECT_EQ(clients.size(), 4u);
  clients.Leave(a);
  EXPECT_EQ(clients.size(), 3u);
}

}  // namespace
}  // namespace otlp_arrow
