#include "storage/ledger.h"

#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

SignalLedger Balanced() {
  SignalLedger ledger;
  ledger.received = 21;
  ledger.stored = 1;
  ledger.in_flight = 2;
  ledger.expired = 3;
  ledger.refused = {{"disk", 4}, {"memory_budget", 5}};
  ledger.invalid = {{"bad_trace_id", 6}};
  return ledger;
}

TEST(SignalLedger, BalancesWhereEveryItemIsAccountedFor) {
  EXPECT_TRUE(SignalLedger{}.Balances());
  SignalLedger ledger = Balanced();
  EXPECT_EQ(ledger.RefusedTotal(), 9);
  EXPECT_EQ(ledger.InvalidTotal(), 6);
  EXPECT_TRUE(ledger.Balances());
  for (int64_t* count : {&ledger.received, &ledger.stored, &ledger.in_flight, &ledger.expired, &ledger.refused["disk"],
                         &ledger.invalid["bad_trace_id"], &ledger.invalid["another"]}) {
    ++*count;
    EXPECT_FALSE(ledger.Balances());
    --*count;
  }
  EXPECT_TRUE(ledger.Balances());
}

TEST(Ledger, BalancesWhereEverySignalDoes) {
  Ledger ledger;
  EXPECT_TRUE(ledger.Balances());
  for (Signal s : kAllSignals) {
    ledger[s].received = 1;
    EXPECT_FALSE(ledger.Balances()) << SignalName(s);
    ledger[s].stored = 1;
  }
  // Requests of unknown size stand outside the equation.
  ledger.unreadable_requests["malformed"] = 7;
  EXPECT_TRUE(ledger.Balances());
}

TEST(Ledger, AddsUpByReason) {
  Ledger sum;
  sum[Signal::kLogs] = Balanced();
  Ledger other;
  other[Signal::kLogs] = Balanced();
  other[Signal::kLogs].refused = {{"disk", 1}, {"shutdown", 8}};
  other[Signal::kTraces].received = other[Signal::kTraces].stored = 5;
  other.unreadable_requests = {{"malformed", 2}};
  sum += other;
  sum += other;
  EXPECT_EQ(sum[Signal::kLogs].received, 63);
  EXPECT_EQ(sum[Signal::kLogs].stored, 3);
  EXPECT_EQ(sum[Signal::kLogs].in_flight, 6);
  EXPECT_EQ(sum[Signal::kLogs].expired, 9);
  EXPECT_EQ(sum[Signal::kLogs].refused["disk"], 6);
  EXPECT_EQ(sum[Signal::kLogs].refused["memory_budget"], 5);
  EXPECT_EQ(sum[Signal::kLogs].refused["shutdown"], 16);
  EXPECT_EQ(sum[Signal::kLogs].invalid["bad_trace_id"], 18);
  EXPECT_EQ(sum[Signal::kTraces].stored, 10);
  EXPECT_EQ(sum.unreadable_requests["malformed"], 4);
  EXPECT_TRUE(sum.Balances());
}

TEST(Ledger, WritesJson) {
  Ledger ledger;
  ledger[Signal::kTraces] = Balanced();
  ledger.unreadable_requests = {{"malformed", 7}};
  EXPECT_EQ(ledger.ToJson(),
            R"({"traces":{"received":21,"stored":1,"relayed":0,"in_flight":2,"expired":3,"refused":{"disk":4,"memory_budget":5},"invalid":{"bad_trace_id":6}},)"
            R"("metrics":{"received":0,"stored":0,"relayed":0,"in_flight":0,"expired":0,"refused":{},"invalid":{}},)"
            R"("logs":{"received":0,"stored":0,"relayed":0,"in_flight":0,"expired":0,"refused":{},"invalid":{}},)"
            R"("unreadable_requests":{"malformed":7}})");
}

}  // namespace
}  // namespace otlp_arrow
