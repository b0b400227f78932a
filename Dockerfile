# otlp-arrow as a container: built by the same steps as `make build`, run by a user of its own in a small image.
#
#   docker build -t otlp-arrow .
#   docker run --rm -p 4317:4317 -p 4318:4318 -p 4319:4319 -v telemetry:/var/lib/otlp-arrow otlp-arrow
#
# Settings: environment variables (OTLP_…, docs/configuration.md), flags behind the image's name, or a file:
#   docker run … -v "$PWD/otlp-arrow.yaml:/etc/otlp-arrow/otlp-arrow.yaml:ro" otlp-arrow serve --config /etc/otlp-arrow/otlp-arrow.yaml

FROM debian:12 AS build
WORKDIR /src
# What the build needs changes seldom: a layer of its own.
COPY tools/setup.sh tools/setup.sh
COPY requirements-dev.txt requirements-dev.txt
RUN tools/setup.sh
COPY . .
RUN packaging/docker/build.sh /out

FROM debian:12-slim
COPY --from=build /out/packages /tmp/packages
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive xargs -a /tmp/packages apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* /tmp/packages \
 && useradd --system --uid 10001 --home-dir /var/lib/otlp-arrow --shell /usr/sbin/nologin otlp-arrow \
 && install -d -o otlp-arrow -g otlp-arrow -m 0750 /var/lib/otlp-arrow
COPY --from=build /out/usr /usr
COPY packaging/docker/healthcheck.sh /usr/lib/otlp-arrow/healthcheck.sh
# A container's own network is no loopback interface: publish the ports only to those who may send.
ENV OTLP_OUTPUT_DIR=/var/lib/otlp-arrow \
    OTLP_GRPC_ADDRESS=0.0.0.0:4317 \
    OTLP_HTTP_ADDRESS=0.0.0.0:4318 \
    OTLP_FLIGHT_ADDRESS=0.0.0.0:4319
VOLUME /var/lib/otlp-arrow
WORKDIR /var/lib/otlp-arrow
EXPOSE 4317 4318 4319
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=6s --start-period=60s CMD ["/usr/lib/otlp-arrow/healthcheck.sh"]
ENTRYPOINT ["/usr/bin/otlp-arrow"]
CMD ["serve"]
