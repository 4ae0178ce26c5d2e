"""Beam's own job server, but with two workers for each pipeline: it takes their number from no flag."""

import sys

from apache_beam.runners.portability import local_job_service_main
from apache_beam.runners.portability.fn_api_runner import fn_runner


class TwoWorkers(fn_runner.FnApiRunner):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self._num_workers = 2


if __name__ == "__main__":
    fn_runner.FnApiRunner = TwoWorkers
    local_job_service_main.run(sys.argv[1:])
