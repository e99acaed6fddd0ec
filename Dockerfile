# syntax=docker/dockerfile:1
# The image of Millrace: `docker build --tag millrace .`. How to run it: docs/container.md.

# Needs Node.js 20.19 or later, sh and nproc.
ARG NODE_IMAGE=docker.io/library/node:20-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund
COPY tsconfig.base.json tsconfig.json ./
COPY src src
RUN npx tsc -b src && npm prune --omit=dev --no-audit --no-fund

# Simulator and example workers, for compose.yaml: `--target examples`.
FROM ${NODE_IMAGE} AS examples
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund
COPY tsconfig.base.json tsconfig.json ./
COPY devices-sim devices-sim
COPY examples examples
RUN npx tsc -b devices-sim examples
USER 1000:1000
WORKDIR /tmp
ENTRYPOINT ["node"]

FROM ${NODE_IMAGE} AS broker
ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.title="Millrace" \
      org.opencontainers.image.description="MQTT 3.1.1 and 5 broker for device telemetry, with durable work queues" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="MIT"
ENV NODE_ENV=production \
    PATH=/app/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# The program is root's: the broker, which is not root, cannot change it.
COPY --from=build /build/package.json /app/package.json
COPY --from=build /build/node_modules /app/node_modules
COPY --from=build /build/dist /app/dist
COPY LICENSE /app/LICENSE
COPY packaging/image/millrace packaging/image/health.mjs /app/bin/
COPY packaging/image/millrace.yaml /etc/millrace/millrace.yaml
RUN chmod 0755 /app/bin/millrace && install -d -o 1000 -g 1000 -m 0700 /data
USER 1000:1000
WORKDIR /data
VOLUME /data
EXPOSE 1883 8083 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=15m --retries=3 CMD ["node", "/app/bin/health.mjs"]
ENTRYPOINT ["millrace"]
CMD ["start", "--config", "/etc/millrace/millrace.yaml"]
