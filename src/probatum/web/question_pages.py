"""Questions to the problems: the forms, and the pages of what was asked: progress, answer, picture."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from probatum.errors import DataError, UnknownNameError, UsageError
from probatum.web.answer_process import ANSWER, PICTURE, QUESTION
from probatum.web.dashboard import dashboard_of, form_sent, go_to, page
from probatum.web.guard import PICTURE_POLICY
from probatum.web.processes import PROGRAM, Work
from probatum.web.questions import QUESTIONS, Question, question
from probatum.web.uploads import save_question

ANSWERING = (PROGRAM[0], "-P", "-m", "probatum.web.answer_process")


def questions(request: Request) -> Response:
    """All forms, and what was asked."""
    return page(
        request, "questions.html", questions=QUESTIONS, recent=dashboard_of(request).processes.recent("question")
    )


def form_of(request: Request) -> Response:
    """One form."""
    return page(request, "question.html", asked=_asked(request), sent=None, trouble=None)


async def ask(request: Request) -> Response:
    """Takes a filled-in form, and starts answering it."""
    dashboard, asked = dashboard_of(request), _asked(request)
    form = await form_sent(request)
    folder = dashboard.processes.new_folder()
    try:
        await run_in_threadpool(save_question, asked, form, folder)
        work = dashboard.processes.start("question", asked.title, [*ANSWERING, str(folder)], folder, asked.limit)
    except (UsageError, DataError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        sent = {k: v for k, v in form.items() if isinstance(v, str)}
        trouble = str(error)
        return await run_in_threadpool(
            page, request, "question.html", status=422, asked=asked, sent=sent, trouble=trouble
        )
    finally:
        await form.close()
    return go_to(f"/work/{work.id}")


def work_page(request: Request) -> Response:
    """How far a process is, and what it answered."""
    return page(request, "work.html", **_work_values(request))


def work_part(request: Request) -> Response:
    """The same without the page around it."""
    return page(request, "work_part.html", **_work_values(request))


def work_picture(request: Request) -> Response:
    """The picture that an answer drew."""
    headers = {"content-security-policy": PICTURE_POLICY}
    return FileResponse(_file(request, PICTURE), media_type="image/svg+xml", headers=headers)


def work_answer(request: Request) -> Response:
    """The values of an answer, as the command prints them with `--json`."""
    answer = json.loads(_file(request, ANSWER).read_text(encoding="utf-8"))
    text = json.dumps(answer.get("values", {}), indent=1)
    headers = {"content-disposition": "attachment; filename=answer.json"}
    return Response(text, media_type="application/json", headers=headers)


def _work_values(request: Request) -> dict[str, Any]:
    work = dashboard_of(request).processes.find(request.path_params["id"])
    answer: dict[str, Any] = {}
    if not work.running and (work.folder / ANSWER).exists():
        answer = json.loads((work.folder / ANSWER).read_text(encoding="utf-8"))
    drawn = not work.running and "error" not in answer and (work.folder / PICTURE).exists()
    return {"asked_work": work, "asked": _question_of(work), "answer": answer, "drawn": drawn}


def _question_of(work: Work) -> Question | None:
    try:
        return question(json.loads((work.folder / QUESTION).read_text(encoding="utf-8"))["question"])
    except OSError:  # it works on the campaign
        return None


def _asked(request: Request) -> Question:
    slug = request.path_params["slug"]
    found = question(slug)
    if found is None:
        raise UnknownNameError.of("question", slug, [q.slug for q in QUESTIONS])
    return found


def _file(request: Request, name: str) -> Path:
    work = dashboard_of(request).processes.find(request.path_params["id"])
    path = work.folder / name
    if work.running or not path.exists():
        raise UnknownNameError("there is no such file of this answer", remedy="go back to its page")
    return path
