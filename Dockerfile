# The container image: the binary, the libraries it loads, certificates, and nothing else.
# No shell, no package manager, not root; the root file system may be read-only.
# `./dev image` builds it, starts it and scrapes it without a registry.

FROM docker.io/library/debian:12 AS build
WORKDIR /src
COPY dev ./
RUN ./dev deps build
COPY . .
ARG REVISION=unknown
# Objects that another checkout compiled serve here, where its cache is mounted (`./dev image` does).
ENV CCACHE_BASEDIR=/src CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros
RUN cmake --preset release -DAGENT_TESTS=OFF -DAGENT_REVISION="$REVISION" \
 && cmake --build --preset release --target progress-agent \
 && tests/image/rootfs.sh build/release/progress-agent /rootfs

FROM scratch
COPY --from=build /rootfs /
USER 65532:65532
EXPOSE 19900
# Holds the socket; mount an emptyDir here that the workload's container mounts too.
VOLUME /run/progress-agent
ENTRYPOINT ["/progress-agent"]
