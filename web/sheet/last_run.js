// What the nodes of a workflow told in its last runs, back to the one that told of a sheet, from the server's history.

import { api } from "../../../scripts/api.js";
import { partOf } from "./message.js";

const LOOKED_AT = 8; // runs; those in which all was cached tell nothing, and on hosts below 0.19 so does a cached node
const UNNAMED = /^[0-]*$/; // the id of a workflow that has none yet

// Node id -> ui output, {} where the server knows of none or has no such history.
export async function lastRun(workflowId) {
  let told = {};
  if (UNNAMED.test(workflowId)) return told;
  try {
    const query = new URLSearchParams({ workflow_id: workflowId, limit: LOOKED_AT });
    const { jobs } = await (await api.fetchApi(`/jobs?${query}`)).json();
    for (const { id } of jobs) {
      const { outputs = {} } = await (await api.fetchApi(`/jobs/${id}`)).json();
      told = { ...outputs, ...told };
      if (Object.values(outputs).some((output) => partOf(output)?.numbers)) break;
    }
  } catch (error) {
    console.debug("LiDAR: no history to show contact sheets of", error);
  }
  return told;
}
