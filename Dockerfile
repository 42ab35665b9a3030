# Two ways to one image of one static binary. The order matters: the classic builder runs every
# stage above the chosen one, so the stage that needs no network comes first.

# Without a registry: scripts/build-static, then docker build --target prebuilt.
FROM scratch AS prebuilt
COPY --chown=10001:10001 dist/aidchain /aidchain
# Empty folders: a named volume takes its owner from the folder of the image it is mounted on.
COPY --chown=10001:10001 dist/data /data
USER 10001:10001
EXPOSE 7100 8100 8200 9100
HEALTHCHECK --interval=2s --timeout=2s --start-period=5s --retries=30 CMD ["/aidchain", "healthcheck"]
ENTRYPOINT ["/aidchain"]

# With a registry: the default target, needs nothing but Docker.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends build-essential && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN scripts/build-static

FROM scratch AS runtime
COPY --from=build --chown=10001:10001 /src/dist/aidchain /aidchain
COPY --from=build --chown=10001:10001 /src/dist/data /data
USER 10001:10001
EXPOSE 7100 8100 8200 9100
HEALTHCHECK --interval=2s --timeout=2s --start-period=5s --retries=30 CMD ["/aidchain", "healthcheck"]
ENTRYPOINT ["/aidchain"]
