"""Sending records to a SciCat server: nothing twice, and nothing lost when the server fails."""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from nxscatter.catalogue.scicat import CHECKSUM
from nxscatter.errors import CatalogueError, ParameterError

if TYPE_CHECKING:
    from scitacean import PID, Client

    from nxscatter.catalogue.scicat import SciCatRecord

T = TypeVar("T")
TOKEN = "NXSCATTER_SCICAT_TOKEN"  # noqa: S105, the name of a variable
_PAUSES = (1.0, 2.0, 4.0)  # seconds before each further attempt
_LOCAL = ("localhost", "127.0.0.1", "::1")
_PASSING = ("408", "429", "500", "502", "503", "504")  # a moment later the answer may be another
_log = logging.getLogger("nxscatter")


@dataclass(frozen=True)
class Server:
    """A SciCat server.

    Parameters
    ----------
    url : str
        Its address, for messages.
    client : scitacean.Client
        The connection.
    pause : function
        Waits a number of seconds between attempts.
    """

    url: str
    client: Client
    pause: Callable[[float], None] = time.sleep

    @classmethod
    def connect(cls, url: str) -> Server:
        """Prepare a connection with the token from the environment; nothing is sent yet.

        Raises
        ------
        ParameterError
            When there is no token, or the address is not https: plain http would show the token to the network. A
            server on the same machine may have it.
        CatalogueError
            When the token has expired.
        """
        from scitacean import Client

        token = os.environ.get(TOKEN, "").strip()
        if not token:
            raise ParameterError(f"--upload needs a token: set the environment variable {TOKEN} to one from SciCat")
        local = _check_address(url)
        try:
            return cls(url, Client.from_token(url=url, token=token, allow_http=local))
        except RuntimeError as error:
            raise CatalogueError(f"{url}: the token in {TOKEN} has expired; get a new one from SciCat") from error

    def upload(self, record: SciCatRecord) -> PID:
        """Send a record and return its identifier on the server.

        Before every attempt to make a record the server is asked for one with the same key. What is there is kept, and
        what its files and pictures lack is added: a repeat goes on where a failure stopped.

        Raises
        ------
        CatalogueError
            When the server refuses the record, or fails in several attempts.
        """
        with _quiet():
            pid, made = self._attempt(lambda: self._dataset(record))
            self._attempt(lambda: self._parts(record, pid))
        _log.info("%s: %s %s as %s", self.url, record.name, "uploaded" if made else "is there already", pid)
        return pid

    def _dataset(self, record: SciCatRecord) -> tuple[PID, bool]:
        """Find or make the dataset; tell whether it was made."""
        from scitacean import PID

        scicat = self.client.scicat
        # a server may answer a query that it does not understand with all it has
        found = [
            dataset
            for dataset in scicat.query_datasets({"keywords": [record.key]})
            if record.key in (dataset.keywords or ())
        ]
        dataset = found[0] if found else scicat.create_dataset_model(record.dataset)
        if dataset.pid is None:
            raise CatalogueError(f"{self.url}: answers without an identifier; is this the address of a SciCat server?")
        return PID.parse(dataset.pid), not found

    def _parts(self, record: SciCatRecord, pid: PID) -> None:
        """Add the files and pictures that a dataset lacks."""
        from scitacean import Thumbnail
        from scitacean.model import AttachmentRelationship, UploadAttachment, UploadOrigDatablock

        scicat, owner = self.client.scicat, record.dataset
        present = scicat.get_dataset_model(pid, datablocks=True, attachments=True)
        if record.files and not present.origdatablocks:
            size, files = sum(file.size for file in record.files), list(record.files)
            block = UploadOrigDatablock(datasetId=pid, size=size, chkAlg=CHECKSUM, dataFileList=files)
            scicat.create_orig_datablock(block)
        captions = {_caption(attachment) for attachment in present.attachments or ()}
        for picture in record.pictures:
            if picture.caption not in captions:
                scicat.create_attachment(
                    UploadAttachment(
                        caption=picture.caption,
                        thumbnail=Thumbnail.parse(picture.data_uri),
                        ownerGroup=owner.ownerGroup,
                        accessGroups=owner.accessGroups,
                        relationships=[AttachmentRelationship(targetId=pid, targetType="dataset")],
                    )
                )

    def _attempt(self, action: Callable[[], T]) -> T:
        """Call until it succeeds, a few times at most."""
        import httpx
        from scitacean import ScicatCommError

        pauses = iter(_PAUSES)
        while True:
            try:
                return action()
            except (httpx.HTTPError, ScicatCommError, ValueError, TypeError) as error:
                # the last two: what came back is no JSON, or JSON of another kind, which scitacean cannot unpack
                answer = re.search(r"': (\d{3}) .*", str(error), re.DOTALL)
                passing = answer[1] in _PASSING if answer else isinstance(error, httpx.TransportError)
                delay = next(pauses, None)
                if delay is None or not passing:
                    raise CatalogueError(self._explained(error, answer)) from error
                _log.info("%s: failed, next attempt in %g s", self.url, delay)
                self.pause(delay)

    def _explained(self, error: Exception, answer: re.Match[str] | None) -> str:
        said = " ".join((answer[0][3:] if answer else str(error) or type(error).__name__).split())[:300]
        again = "the record is written here; then give the same command again, nothing is sent twice"
        if answer is None or answer[1] in _PASSING:
            return f"{self.url}: does not answer as a SciCat server ({said}); wait or check the address, {again}"
        if answer[1] in ("401", "403"):
            return f"{self.url}: refuses the token in {TOKEN} ({said}); get one that may write, {again}"
        return f"{self.url}: refuses the record ({said}); mend the profile, {again}"


def _check_address(url: str) -> bool:
    """Refuse an address that is not one of a server, or not a safe one; tell whether it is this machine."""
    local = False
    try:
        parts = urlsplit(url)
        local = parts.hostname in _LOCAL
        good = bool(parts.hostname) and parts.port != 0 and parts.scheme in (("https", "http") if local else ("https",))
    except ValueError:
        good = False
    if not good:
        raise ParameterError(f"--upload {url}: give the address of a SciCat server that begins with https://")
    return local


def _caption(attachment: object) -> object:
    """Caption of an attachment, whether scitacean could make a model of the server's answer or not."""
    return attachment.get("caption") if isinstance(attachment, dict) else getattr(attachment, "caption", None)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep scitacean's log, which repeats every answer of the server, out of ours."""
    logger = logging.getLogger("scitacean")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before
