// Handlers for AWS's runtime client for Node, aws-lambda-ric.

export async function handler(event, context) {
  console.log("said by the handler");
  if (event.fail) throw new RangeError("as asked");
  return {
    event,
    request_id: context.awsRequestId,
    function: context.functionName,
    memory_mb: context.memoryLimitInMB,
    arn: context.invokedFunctionArn,
    remaining_ms: context.getRemainingTimeInMillis(),
    trace: process.env._X_AMZN_TRACE_ID,
  };
}
