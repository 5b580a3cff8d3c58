package directory

import (
	"context"
	"strings"

	"windtunnel.test/sim/wire/ldap"
)

// Delete makes an object a tombstone ([MS-ADTS] 3.1.1.5.5); tree deletes what
// is below it too (LDAP_SERVER_TREE_DELETE_OID). Errors: notAllowedOnNonLeaf,
// insufficientAccessRights, unwillingToPerform for what the domain lives by.
func (r *Replica) Delete(ctx context.Context, id Identity, dn string, tree bool) error {
	if id.Anonymous() {
		return needBind()
	}
	defer r.enter()()
	at, err := r.resolve(dn)
	if err != nil {
		return err
	}
	if err := r.mayDelete(id, at); err != nil {
		return err
	}
	list := appendSubtree(nil, at)
	if len(list) > 1 && !tree {
		return notLeaf()
	}
	name, c := at.dn(), r.begin()
	for _, gone := range list {
		if gone.parent == nil || gone.obj.first(must("isCriticalSystemObject")) == "TRUE" {
			return cannotDelete()
		}
		d := gone.obj.edit(r.Now().UnixNano(), uint32(r.index))
		d.set(atLastKnownParent, refTo(gone.parent.obj.guid))
		parent := d.stored(atLastKnownParent)
		d.kill()
		d.set(atLastKnownParent, parent...)
		c.objects = append(c.objects, d.done())
	}
	if err := c.commit(false); err != nil {
		return err
	}
	r.record(ctx, "ad.deleted", name)
	return nil
}

// ModifyDN renames or moves an object within its naming context ([MS-ADTS]
// 3.1.1.5.4). It needs what deleting here and creating there does.
func (r *Replica) ModifyDN(ctx context.Context, id Identity, q ldap.ModifyDNRequest) error {
	if id.Anonymous() {
		return needBind()
	}
	defer r.enter()()
	at, err := r.resolve(q.DN)
	if err != nil {
		return err
	}
	step, err := ldap.ParseDN(q.NewRDN)
	if err != nil || len(step) != 1 || len(step[0]) != 1 {
		return badName(q.NewRDN)
	}
	if at.parent == nil {
		return cannotDelete()
	}
	typ, _ := at.commonName()
	if !strings.EqualFold(typ, step[0][0].Type) || step[0][0].Value == "" || !q.DeleteOldRDN {
		return namingViolation(q.NewRDN)
	}
	parent := at.parent
	if q.Moves && q.NewSuperior != "" {
		if parent, err = r.resolve(q.NewSuperior); err != nil {
			return err
		}
	}
	switch {
	case parent.head() != at.head():
		return moveAcrossHeads()
	case parent.under(at):
		return serviceError("00002089") // ERROR_DS_CHILDREN... : below itself
	}
	if err := r.mayDelete(id, at); err != nil {
		return err
	}
	if parent != at.parent {
		if _, err := r.mayCreate(id, parent, at.obj.class()); err != nil {
			return err
		}
	}
	if other := r.child(parent, step[0]); other != nil && other != at {
		return objectExists()
	}
	d := at.obj.edit(r.Now().UnixNano(), uint32(r.index))
	d.rename(parent.obj.guid, ldap.RDN{{Type: typ, Value: step[0][0].Value}}.String(), step[0].Key())
	c := r.begin()
	c.objects = append(c.objects, d.done())
	if err := c.commit(false); err != nil {
		return err
	}
	r.record(ctx, "moved", at.dn())
	return nil
}
