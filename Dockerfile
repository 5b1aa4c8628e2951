# The image for `oncallctl maintenance export --to kubernetes`: docker build -t oncallctl .
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY completions completions
COPY oncallctl oncallctl
RUN python -m venv /opt/oncallctl && /opt/oncallctl/bin/pip install --no-cache-dir .

FROM python:3.13-slim
COPY --from=build /opt/oncallctl /opt/oncallctl
# A number, so that Kubernetes sees that it is not root.
RUN useradd --uid 10001 --create-home oncallctl
ENV PATH=/opt/oncallctl/bin:$PATH PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /home/oncallctl
ENTRYPOINT ["oncallctl"]
