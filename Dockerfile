# The image for `oncallctl maintenance export --to kubernetes`: docker build -t oncallctl .
# A release pins the base by digest: docker build --build-arg BASE=python:3.13-slim@sha256:… (see RELEASING.md).
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
WORKDIR /source
RUN pip install --no-cache-dir uv==0.13.8
COPY pyproject.toml uv.lock README.md LICENSE CHANGELOG.md ./
COPY completions completions
COPY man man
COPY oncallctl oncallctl
# The lock file pins every dependency with its hash.
RUN UV_PROJECT_ENVIRONMENT=/opt/oncallctl UV_PYTHON_DOWNLOADS=never uv sync --frozen --no-dev --no-editable

FROM ${BASE}
COPY --from=build /opt/oncallctl /opt/oncallctl
# A number, so that Kubernetes sees that it is not root.
RUN useradd --uid 10001 --create-home oncallctl
ENV PATH=/opt/oncallctl/bin:$PATH PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /home/oncallctl
ENTRYPOINT ["oncallctl"]
