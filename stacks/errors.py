"""Refusals about stacks and versions."""

from core.errors import Conflict, Forbidden, Invalid, NotFound


class StackNotFound(NotFound):
    code = "stack_not_found"
    message = "There is no such stack."


class StackNotOwned(Forbidden):
    code = "stack_not_owned"
    message = "Only an admin or the generator that owns the stack may do that, with a key that reaches it."


class StackNotAccessible(Forbidden):
    code = "stack_not_accessible"
    message = "Only an admin, the owning generator or an agent associated with the stack may read that."


class StacksListDenied(Forbidden):
    code = "stacks_list_denied"
    message = "Agents do not list stacks; see /agents/{id}/stacks."


class StackCreateDenied(Forbidden):
    code = "stack_create_denied"
    message = "Agents do not create stacks."


class StackGeneratorMismatch(Forbidden):
    code = "stack_generator_mismatch"
    message = "A generator's stacks belong to that generator."


class StackIdMismatch(Invalid):
    code = "stack_id_mismatch"
    message = "The stack id in the body is not the one in the path."


class InvalidStack(Invalid):
    code = "invalid_stack"
    message = "A stack needs a name of 1 to 255 characters; its description is null or not blank."


class StackLabelNotFound(NotFound):
    code = "stack_label_not_found"
    message = "The stack has no such label."


class StackAnnotationNotFound(NotFound):
    code = "stack_annotation_not_found"
    message = "The stack has no such annotation."


class DeploymentObjectNotFound(NotFound):
    code = "deployment_object_not_found"
    message = "There is no such deployment object."


class InvalidDeploymentObject(Invalid):
    code = "invalid_deployment_object"
    message = "The manifest cannot be accepted."


class RollbackImpossible(Conflict):
    code = "rollback_impossible"
    message = "Only an object of the same stack that holds a manifest can be published again."


class AgentNotAssociated(Forbidden):
    code = "agent_not_associated"
    message = "The agent is not associated with this object's stack."


class GeneratorNotAssociated(Forbidden):
    code = "generator_not_associated"
    message = "The generator does not own this object's stack."
