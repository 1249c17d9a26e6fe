"""Runs training jobs through their statuses: download, train, upload; stopped, timed out, failed, resumed."""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from emulation.processes.parent_watcher import ParentPipe
from emulation.processes.python_environments import Progress
from emulation.sagemaker import aws_clients
from emulation.sagemaker.errors import TrainingFailed
from emulation.sagemaker.frameworks import Interpreters
from emulation.sagemaker.store import Kind, Record, Store
from emulation.sagemaker.training import job_files, job_programs, training_program
from emulation.sagemaker.training.job_files import Checkpoints, JobDirectory
from emulation.sagemaker.training.job_log import JobLog
from emulation.sagemaker.training.job_metrics import Metrics
from emulation.sagemaker.training.training_process import End, ProgramExit, run
from emulation.sagemaker.training.training_program import Program

log = logging.getLogger(__name__)

MAX_AT_ONCE = 2
TERMINAL = frozenset({"Completed", "Failed", "Stopped"})
DEFAULT_SECONDS = 86400
_WAITING = frozenset({"Starting", "Restarting"})
_MAX_REASON = 1024
_CHECKPOINT_SECONDS = 2.0


@dataclass(frozen=True)
class TrainingEnvironment:
    """The clients, folders and interpreter of the jobs.

    Without ``python``, an interpreter, jobs that may need PyTorch get an environment below ``cache``.
    """

    client: aws_clients.S3 | None
    logs_client: object | None
    metrics_client: object | None
    python: str | None
    cache: Path
    root: Path
    logs: Path
    parent_pipe: ParentPipe
    grace: float = 10.0


class _Stopped(Exception):
    """StopTrainingJob was called, or the emulator is to stop."""


class JobRunner:
    """Every job that is under way; further ones wait in Starting until one of the two slots is free."""

    def __init__(self, store: Store, environment: TrainingEnvironment, now: Callable[[], float]) -> None:
        self._store = store
        self._environment = environment
        self._now = now
        self._interpreters = Interpreters(environment.python, environment.cache)
        self._slots = asyncio.Semaphore(MAX_AT_ONCE)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stops: dict[str, asyncio.Event] = {}

    @property
    def client(self) -> aws_clients.S3 | None:
        """The S3 client, or None if the emulator has no S3."""
        return self._environment.client

    def begin(self, record: Record) -> None:
        """Run a job in the background."""
        self._stops[record.name] = asyncio.Event()
        task = asyncio.create_task(self._run(record), name=f"training job {record.name}")
        self._tasks[record.name] = task
        task.add_done_callback(lambda _: self._forget(record.name))

    def stop(self, record: Record) -> None:
        """Stop a job."""
        waiting = record.described["SecondaryStatus"] in _WAITING
        self.set_status(record, "Stopping", "Stopping the training job", status="Stopping")
        self._stops[record.name].set()
        if waiting:
            self._tasks[record.name].cancel()
            self.set_status(record, "Stopped", "Training job stopped", status="Stopped")
            self._folder(record).remove()

    async def wait_until_done(self, name: str) -> None:
        """Wait until the cleanup of a finished job is done."""
        task = self._tasks.get(name)
        if task is not None:
            await asyncio.wait({task})

    def set_status(self, record: Record, secondary: str, message: str, *, status: str | None = None) -> None:
        """Set and store a job's secondary status, and with ``status`` its status."""
        now = self._now()
        record.modified = record.described["LastModifiedTime"] = now
        transitions = record.described.setdefault("SecondaryStatusTransitions", [])
        if transitions:
            transitions[-1]["EndTime"] = now
        transitions.append({"Status": secondary, "StartTime": now, "StatusMessage": message})
        record.described["SecondaryStatus"] = secondary
        if status is not None:
            record.described["TrainingJobStatus"] = status
        if status in TERMINAL:
            transitions[-1]["EndTime"] = now
            self._set_billable_time(record, now)
        self._store.save(Kind.TRAINING_JOB, record)

    def restore(self) -> None:
        """Resume after a restart: a running job continues from its checkpoints, a stopping one has stopped."""
        for record in self._store.all(Kind.TRAINING_JOB):
            status = record.described["TrainingJobStatus"]
            if status == "Stopping":
                self.set_status(record, "Stopped", "Training job stopped", status="Stopped")
                self._folder(record).remove()
            elif status == "InProgress":
                self.set_status(record, "Restarting", "The emulator was restarted; continuing from checkpoints")
                self.begin(record)

    def _forget(self, name: str) -> None:
        del self._tasks[name], self._stops[name]

    async def close(self) -> None:
        """Stop every program; the records keep the jobs to resume."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _folder(self, record: Record) -> JobDirectory:
        return JobDirectory(self._environment.root / record.name.lower())

    def _set_billable_time(self, record: Record, now: float) -> None:
        if (began := record.described.get("TrainingStartTime")) is not None:
            record.described["TrainingEndTime"] = now
            seconds = max(1, round(now - began))
            record.described["TrainingTimeInSeconds"] = record.described["BillableTimeInSeconds"] = seconds

    async def _run(self, record: Record) -> None:
        folder = self._folder(record)
        try:
            async with self._slots:
                await self._run_steps(record, folder)
        except _Stopped:
            self.set_status(record, "Stopped", "Training job stopped", status="Stopped")
        except TrainingFailed as error:
            self._fail(record, str(error))
        except Exception as error:
            log.exception("training job %s failed", record.name)
            self._fail(record, f"InternalServerError: We encountered an internal error. ({type(error).__name__})")
        await asyncio.to_thread(folder.remove)

    def _fail(self, record: Record, reason: str) -> None:
        record.described["FailureReason"] = reason[:_MAX_REASON]
        self.set_status(record, "Failed", f"Training job failed: {reason}"[:_MAX_REASON], status="Failed")

    async def _run_steps(self, record: Record, folder: JobDirectory) -> None:
        client, request = self._environment.client, record.private["Request"]
        if client is None:
            raise TrainingFailed("ClientError: Data download failed: the emulator was started without S3")
        self._check(record)
        record.described.setdefault("TrainingStartTime", self._now())
        self.set_status(record, "Downloading", "Downloading the training image and the input data")
        await asyncio.to_thread(folder.prepare, request)
        with contextlib.closing(self._log(record)) as job_log:
            definitions = record.described["AlgorithmSpecification"].get("MetricDefinitions", ())
            metrics = Metrics(definitions, self._now, self._environment.metrics_client, record.name)
            sending = [asyncio.create_task(job_log.run()), asyncio.create_task(metrics.run())]
            try:
                program = await job_programs.prepare(
                    client, self._interpreters, request, record.arn, folder, _from_threads(job_log)
                )
                for line in program.notes:
                    job_log.write(line)
                self._check(record)
                self.set_status(record, "Training", "Training image download completed. Training in progress.")
                outcome = await self._train(record, folder, program, job_log, metrics)
            except TrainingFailed as error:
                job_log.write(str(error))
                raise
            finally:
                for task in sending:
                    task.cancel()
                await asyncio.gather(*sending, return_exceptions=True)
                await asyncio.gather(job_log.flush(), metrics.publish())
        if metrics.final():
            record.described["FinalMetricDataList"] = metrics.final()
        await self._finish(record, folder, client, outcome)

    async def _train(
        self, record: Record, folder: JobDirectory, program: Program, job_log: JobLog, metrics: Metrics
    ) -> ProgramExit:
        last: deque[str] = deque(maxlen=20)

        def take(line: str) -> None:
            job_log.write(line)
            metrics.read(line)
            if line.strip():
                last.append(line.strip())

        most = record.described["StoppingCondition"].get("MaxRuntimeInSeconds", DEFAULT_SECONDS)
        keeping = asyncio.create_task(self._keep_checkpoints(record, folder))
        began = time.monotonic()
        try:
            outcome = await run(
                program,
                self._environment.parent_pipe,
                take,
                stop=self._stops[record.name],
                seconds=max(0.0, most - record.private.get("Trained", 0.0)),
                grace=self._environment.grace,
            )
        except OSError as error:
            raise TrainingFailed(f"AlgorithmError: {program.command[0]} cannot be started: {error}") from error
        finally:
            record.private["Trained"] = record.private.get("Trained", 0.0) + time.monotonic() - began
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
        if outcome.end is End.EXITED and outcome.status:
            raise TrainingFailed(training_program.failure(program, outcome.status, folder, list(last)))
        return outcome

    async def _keep_checkpoints(self, record: Record, folder: JobDirectory) -> None:
        """Upload checkpoints as they are written, and the last of them at the end."""
        config, client = record.private["Request"].get("CheckpointConfig"), self._environment.client
        if config is None or client is None:
            return
        checkpoints = Checkpoints(client, folder.checkpoints, config["S3Uri"])
        ending = False
        while not ending:
            try:
                await asyncio.sleep(_CHECKPOINT_SECONDS)
            except asyncio.CancelledError:
                ending = True
            try:
                await asyncio.to_thread(checkpoints.send)
            except job_files.UNAVAILABLE as error:
                log.warning("checkpoints of %s are not in S3 for now: %s", record.name, error)

    async def _finish(self, record: Record, folder: JobDirectory, client: aws_clients.S3, outcome: ProgramExit) -> None:
        request = record.private["Request"]
        self.set_status(record, "Uploading", "Uploading generated training model")
        model = outcome.end is End.EXITED or any(folder.model.iterdir())
        await asyncio.to_thread(job_files.upload, client, request, record.name, folder, model=model)
        if outcome.end is End.TIMED_OUT:
            message = "Training job runtime exceeded MaxRuntimeInSeconds provided"
            self.set_status(record, "MaxRuntimeExceeded", message, status="Stopped")
        elif outcome.end is End.STOPPED:
            raise _Stopped
        else:
            self.set_status(record, "Completed", "Training job completed", status="Completed")

    def _check(self, record: Record) -> None:
        if self._stops[record.name].is_set():
            raise _Stopped

    def _log(self, record: Record) -> JobLog:
        stream, file = f"{record.name}/algo-1-{int(record.created)}", f"{record.name}.training.log"
        return JobLog(self._environment.logs_client, stream, self._environment.logs / file)


def _from_threads(job_log: JobLog) -> Progress:
    loop = asyncio.get_running_loop()
    return lambda line: loop.call_soon_threadsafe(job_log.write, line)
