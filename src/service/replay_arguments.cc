#include "service/replay_arguments.h"

#include "service/argument_values.h"
#include "service/help_text.h"

namespace otlp_arrow {

void ReplayArguments::AddTo(CLI::App* app) {
  CLI::App* replay = app->add_subcommand("replay", "send what is in files to an OTLP or Arrow Flight backend");
  replay->footer(kReplayFooter);
  replay->add_option("path", options_.path, "an output directory, a directory of .arrow or .parquet files, or one file")->type_name("PATH")->required();
  replay->add_option("--endpoint", peer_.endpoint, "where to, such as http://127.0.0.1:4317; https means TLS")->type_name("URL")->required();
  replay
      ->add_option("--protocol", peer_.protocol,
                   "grpc, http or flight [http for port 4318 and for URLs with a path, flight for port 4319, else grpc]")
      ->type_name("NAME")
      ->check(CLI::IsMember({"grpc", "http", "flight"}).description(""));
  AddSelection(replay);
  AddSending(replay);
  AddPeer(replay);
}

void ReplayArguments::AddSelection(CLI::App* replay) {
  replay->add_option("--signal", signals_, "only these: traces, metrics, logs; may be repeated [all]")
      ->type_name("NAME")
      ->delimiter(',')
      ->check(CLI::IsMember({"traces", "metrics", "logs"}).description(""));
  replay->add_option("--since", since_, "only items from this time on: 2024-05-06T07:08:09Z, or 15m, 2h, 7d ago")->type_name("TIME");
  replay->add_option("--until", until_, "only items before this time")->type_name("TIME");
}

void ReplayArguments::AddSending(CLI::App* replay) {
  replay
      ->add_option("--rate", options_.items_per_second, "at most this many items a second [as fast as they are taken]")
      ->type_name("N")
      ->check(CLI::Range(0.001, 1e9).description(""));
  replay->add_option("--batch", options_.batch, "items in one request [1000; allowed: 1 to 100000]")
      ->type_name("N")
      ->check(CLI::Range(1, 100000).description(""));
  replay->add_option("--max-in-flight", options_.max_in_flight, "requests under way at a time; with 1 they arrive in order [1; allowed: 1 to 64]")
      ->type_name("N")
      ->check(CLI::Range(1, 64).description(""));
  replay
      ->add_option("--resume-file", options_.resume_file,
                   "keep in this file what is sent: a replay that was interrupted goes on there when it is started again, and one that "
                   "was complete sends only what is new")
      ->type_name("FILE");
  replay->add_option("--timeout", timeout_secs_, "seconds to wait for the answer to a request [10]")
      ->type_name("N")
      ->check(CLI::Range(0.001, 3600.0).description(""));
  replay->add_option("--retry-for", retry_secs_, "seconds to try a request again while the peer is away or busy [300]")
      ->type_name("N")
      ->check(CLI::Range(0.0, 1e6).description(""));
  replay->add_flag("--dry-run", options_.dry_run, "read and count, send nothing");
  replay->add_flag("--quiet", options_.quiet, "no progress, only problems and the result");
}

void ReplayArguments::AddPeer(CLI::App* replay) {
  replay->add_option("--compression", peer_.compression, "of the requests: none, gzip (grpc, http), zstd (http, flight), lz4 (flight) [none]")
      ->type_name("NAME")
      ->check(CLI::IsMember({"none", "gzip", "zstd", "lz4"}).description(""));
  replay->add_flag("--gzip", gzip_, "the same as --compression gzip")->excludes("--compression");
  const char* credentials = "Credentials, which may be given as ${env:NAME} or ${file:PATH}";
  replay->add_option("--header", headers_, "a header for each request, such as api-key=secret; may be repeated")->type_name("NAME=VALUE")->group(credentials);
  replay->add_option("--bearer-token", peer_.bearer_token, "sent as authorization: Bearer")->type_name("TEXT")->group(credentials);
  replay->add_option("--username", peer_.username, "sent as authorization: Basic")->type_name("TEXT")->group(credentials)->excludes("--bearer-token");
  replay->add_option("--password", peer_.password, "of that user")->type_name("TEXT")->group(credentials)->needs("--username");
  replay->add_option("--api-key", peer_.api_key, "sent as x-api-key")->type_name("TEXT")->group(credentials);
  const char* tls = "TLS";
  replay->add_option("--ca-file", peer_.tls.ca_file, "trust the certificates in this PEM file instead of the system's")->type_name("FILE")->group(tls);
  replay->add_option("--cert-file", peer_.tls.cert_file, "a PEM file: what to show a server that asks for a certificate")->type_name("FILE")->group(tls);
  replay->add_option("--key-file", peer_.tls.key_file, "its key")->type_name("FILE")->group(tls);
  replay->add_option("--server-name", peer_.tls.server_name, "the name that the server's certificate bears, where it is not the endpoint's host")
      ->type_name("NAME")
      ->group(tls);
}

ReplayOptions ReplayArguments::Finish(ReplayOptions::Time now) {
  FinishPeer();
  for (const auto& name : signals_) options_.signals.push_back(*SignalFromName(name));
  if (!since_.empty()) options_.since = OrReject("--since", ParseTime(since_, now));
  if (!until_.empty()) options_.until = OrReject("--until", ParseTime(until_, now));
  if (options_.since && options_.until && *options_.since >= *options_.until) {
    Reject(Status::Config("--since must be before --until; nothing lies between"));
  }
  options_.timeout = Milliseconds(timeout_secs_);
  options_.retry_for = Milliseconds(retry_secs_);
  return options_;
}

void ReplayArguments::FinishPeer() {
  if (gzip_) peer_.compression = "gzip";
  const auto protocol = peer_.protocol.empty() ? std::nullopt : ProtocolFromName(peer_.protocol);
  OrReject("--endpoint", ParseEndpoint(peer_.endpoint, protocol));
  auto sender = SenderOptionsOf(peer_);
  if (!sender.ok()) Reject(sender.status());
  options_.sender = *std::move(sender);
  AddHeaders(headers_, &options_.sender);
}

}  // namespace otlp_arrow
