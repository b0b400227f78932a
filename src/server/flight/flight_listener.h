// One of Arrow's Flight servers on one port, in front of the service that all of them share.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <arrow/flight/server.h>

#include "server/flight/flight_service.h"

namespace otlp_arrow {

class FlightListener final : public arrow::flight::FlightServerBase {
 public:
  explicit FlightListener(FlightService* service) : service_(service) {}

  using CallContext = FlightService::CallContext;
  using Descriptor = FlightService::Descriptor;

  arrow::Status ListFlights(const CallContext& context, const arrow::flight::Criteria* criteria,
                            std::unique_ptr<arrow::flight::FlightListing>* listings) override {
    return service_->ListFlights(context, criteria, listings);
  }
  arrow::Status GetFlightInfo(const CallContext& context, const Descriptor& request, std::unique_ptr<arrow::flight::FlightInfo>* info) override {
    return service_->GetFlightInfo(context, request, info);
  }
  arrow::Status GetSchema(const CallContext& context, const Descriptor& request, std::unique_ptr<arrow::flight::SchemaResult>* schema) override {
    return service_->GetSchema(context, request, schema);
  }
  arrow::Status DoGet(const CallContext& context, const arrow::flight::Ticket& request,
                      std::unique_ptr<arrow::flight::FlightDataStream>* stream) override {
    return service_->DoGet(context, request, stream);
  }
  arrow::Status DoPut(const CallContext& context, std::unique_ptr<arrow::flight::FlightMessageReader> reader,
                      std::unique_ptr<arrow::flight::FlightMetadataWriter> writer) override {
    return service_->DoPut(context, std::move(reader), std::move(writer));
  }
  arrow::Status DoAction(const CallContext& context, const arrow::flight::Action& action,
                         std::unique_ptr<arrow::flight::ResultStream>* result) override {
    return service_->DoAction(context, action, result);
  }
  arrow::Status ListActions(const CallContext& context, std::vector<arrow::flight::ActionType>* actions) override {
    return service_->ListActions(context, actions);
  }

 private:
  FlightService* const service_;
};

}  // namespace otlp_arrow
