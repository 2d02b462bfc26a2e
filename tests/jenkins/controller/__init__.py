"""A Jenkins controller's REST API without Jenkins: what clients see of jobs, queue, builds, inputs, users and crumbs.

What it answers follows the sources of Jenkins core, of the Pipeline plugins and of the Folders plugin, and
https://www.jenkins.io/doc/book/using/remote-access-api/. What a build does is an `Executor` of the caller's.
"""

from tests.jenkins.controller.builds import Aborted as Aborted
from tests.jenkins.controller.builds import Executor as Executor
from tests.jenkins.controller.builds import RunningBuild as RunningBuild
from tests.jenkins.controller.queue import Cancelled as Cancelled
from tests.jenkins.controller.server import JenkinsDouble as JenkinsDouble
