"""Refusals about agents, their registrations, targets and events."""

from core.errors import Conflict, Forbidden, Invalid, NotFound


class AgentNotFound(NotFound):
    code = "agent_not_found"
    message = "There is no such agent."


class MomentNotKnown(Invalid):
    code = "moment_not_known"
    message = "The moment is in the future, or earlier than the history goes back (`known_since`)."


class AgentPakMismatch(Forbidden):
    code = "agent_pak_mismatch"
    message = "Only the agent itself, or an admin where that is allowed, may do that."


class GeneratorRequired(Forbidden):
    code = "generator_required"
    message = "Agents do not list agents."


class InvalidAgent(Invalid):
    code = "invalid_agent"
    message = (
        "An agent needs a name and a cluster name of 1 to 255 characters, a status of 1 to 50, and a positive number "
        "of seconds until it counts as silent."
    )


class AgentIdMismatch(Invalid):
    code = "agent_id_mismatch"
    message = "The agent id in the body is not the one in the path."


class NameAndClusterRequired(Invalid):
    code = "name_and_cluster_required"
    message = "Name the agent by both query parameters, name and cluster_name."


class InvalidGeneratorId(Invalid):
    code = "invalid_generator_id"
    message = "A generator named in generator_ids does not exist."


class AgentLabelNotFound(NotFound):
    code = "agent_label_not_found"
    message = "The agent has no such label."


class AgentAnnotationNotFound(NotFound):
    code = "agent_annotation_not_found"
    message = "The agent has no such annotation."


class AgentTargetNotFound(NotFound):
    code = "agent_target_not_found"
    message = "The agent has no such target."


class TargetCreateDenied(Forbidden):
    code = "target_create_denied"
    message = "Agents do not choose their own targets."


class TargetGeneratorMismatch(Forbidden):
    code = "target_generator_mismatch"
    message = "A generator targets only its own stacks."


class AgentNotRegistered(Forbidden):
    code = "agent_not_registered"
    message = "The agent is not registered with the stack's generator."


class AgentEventNotFound(NotFound):
    code = "agent_event_not_found"
    message = "There is no such event."


class MissingAgentId(Invalid):
    code = "missing_agent_id"
    message = "An admin must name the agent in agent_id."


class AlreadyRegistered(Conflict):
    code = "already_registered"
    message = "The agent is registered with that generator."


class RegistrationForbidden(Forbidden):
    code = "forbidden"
    message = "Generators do not register agents; the agent or an admin does."


class RegistrationsNotAuthorized(Forbidden):
    code = "not_authorized"
    message = "Only an admin or the generator itself may see its registered agents."


class VersionSuperseded(Conflict):
    code = "version_superseded"
    message = "A newer version of the stack is for everybody already."
