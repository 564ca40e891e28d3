export type { Consent } from "./consent.ts";
export type {
  DigestKeys,
  MemberRemoval,
  Membership,
  MembersLookup,
  PeopleAudit,
  PeopleDestination,
} from "./interfaces.ts";
export {
  createPeople,
  type Inspection,
  type People,
  type PeopleOptions,
  type RevokeOptions,
  type WithdrawalReport,
  type WithdrawOptions,
} from "./people.ts";
export type { Person } from "./person.ts";
export type { Remaining } from "./remaining.ts";
export { createSubjects, personBytes, type SubjectField, type Subjects } from "./subjects.ts";
