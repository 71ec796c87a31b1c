-- Schema of version 0.1.0 and the migrations it has applied: where the upgrade test starts from.
--
-- PostgreSQL database dump
--



SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: _pgh_attach_context(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public._pgh_attach_context() RETURNS uuid
    LANGUAGE plpgsql
    AS $$
                    DECLARE
                        _pgh_context_id UUID;
                        _pgh_context_metadata JSONB;
                    BEGIN
                        BEGIN
                            SELECT INTO _pgh_context_id
                                CURRENT_SETTING('pghistory.context_id');
                            SELECT INTO _pgh_context_metadata
                                CURRENT_SETTING('pghistory.context_metadata');
                            EXCEPTION WHEN OTHERS THEN
                        END;
                        IF _pgh_context_id IS NOT NULL AND _pgh_context_metadata IS NOT NULL THEN
                            INSERT INTO pghistory_context (id, metadata, created_at, updated_at)
                                VALUES (_pgh_context_id, _pgh_context_metadata, NOW(), NOW())
                                ON CONFLICT (id) DO UPDATE
                                    SET metadata = EXCLUDED.metadata,
                                        updated_at = EXCLUDED.updated_at
                                    WHERE pghistory_context.metadata != EXCLUDED.metadata;
                            RETURN _pgh_context_id;
                        ELSE
                            RETURN NULL;
                        END IF;
                    END;
                $$;


--
-- Name: _pgtrigger_should_ignore(name); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public._pgtrigger_should_ignore(trigger_name name) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
                DECLARE
                    _pgtrigger_ignore TEXT[];
                    _result BOOLEAN;
                BEGIN
                    BEGIN
                        SELECT INTO _pgtrigger_ignore
                            CURRENT_SETTING('pgtrigger.ignore');
                        EXCEPTION WHEN OTHERS THEN
                    END;
                    IF _pgtrigger_ignore IS NOT NULL THEN
                        SELECT trigger_name = ANY(_pgtrigger_ignore)
                        INTO _result;
                        RETURN _result;
                    ELSE
                        RETURN FALSE;
                    END IF;
                END;
            $$;


--
-- Name: pgtrigger_append_only_0b5cd(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_append_only_0b5cd() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;
                END;
            $$;


--
-- Name: pgtrigger_append_only_0e083(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_append_only_0e083() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;
                END;
            $$;


--
-- Name: pgtrigger_append_only_1df64(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_append_only_1df64() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;
                END;
            $$;


--
-- Name: pgtrigger_append_only_50a71(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_append_only_50a71() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;
                END;
            $$;


--
-- Name: pgtrigger_append_only_b31aa(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_append_only_b31aa() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;
                END;
            $$;


--
-- Name: pgtrigger_bump_version_0e316(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_bump_version_0e316() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    NEW.version = OLD.version + 1; NEW.changed_at = clock_timestamp(); RETURN NEW;
                END;
            $$;


--
-- Name: pgtrigger_bump_version_3c7ee(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_bump_version_3c7ee() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    NEW.version = OLD.version + 1; NEW.changed_at = clock_timestamp(); RETURN NEW;
                END;
            $$;


--
-- Name: pgtrigger_bump_version_5bb8b(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_bump_version_5bb8b() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    NEW.version = OLD.version + 1; NEW.changed_at = clock_timestamp(); RETURN NEW;
                END;
            $$;


--
-- Name: pgtrigger_bump_version_ab2b9(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_bump_version_ab2b9() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    NEW.version = OLD.version + 1; NEW.changed_at = clock_timestamp(); RETURN NEW;
                END;
            $$;


--
-- Name: pgtrigger_bump_version_c2a58(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_bump_version_c2a58() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    NEW.version = OLD.version + 1; NEW.changed_at = clock_timestamp(); RETURN NEW;
                END;
            $$;


--
-- Name: pgtrigger_delete_delete_1dfab(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_delete_delete_1dfab() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_memorytierevent" ("accelerator_id", "bandwidth_gbs", "capacity_gb", "id", "memory_type", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "role", "usable_gb") SELECT old_values."accelerator_id", old_values."bandwidth_gbs", old_values."capacity_gb", old_values."id", old_values."memory_type", _pgh_attached_context.value, NOW(), 'delete', old_values."id", old_values."role", old_values."usable_gb" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_delete_delete_26887(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_delete_delete_26887() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_figureevent" ("accelerator_id", "accepted", "as_printed", "confidence", "created_at", "id", "kind", "language_model_id", "observed_on", "origin", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "quantity", "reason", "source_id", "sparsity", "system_id", "text", "unit", "value", "workload_id") SELECT old_values."accelerator_id", old_values."accepted", old_values."as_printed", old_values."confidence", old_values."created_at", old_values."id", old_values."kind", old_values."language_model_id", old_values."observed_on", old_values."origin", _pgh_attached_context.value, NOW(), 'delete', old_values."id", old_values."quantity", old_values."reason", old_values."source_id", old_values."sparsity", old_values."system_id", old_values."text", old_values."unit", old_values."value", old_values."workload_id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_delete_delete_4dde8(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_delete_delete_4dde8() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_acceleratorevent" ("changed_at", "confidence", "family", "form_factor", "generation", "id", "kind", "launch_price_usd", "memory_bandwidth_gbs", "memory_bytes", "memory_gb", "memory_is_sram", "memory_type", "memory_usable_gb", "name", "notes", "pcie_generation", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "process_node", "release_date", "segment", "shares_memory_with_host", "slug", "status", "tdp_w", "vendor_id", "version") SELECT old_values."changed_at", old_values."confidence", old_values."family", old_values."form_factor", old_values."generation", old_values."id", old_values."kind", old_values."launch_price_usd", old_values."memory_bandwidth_gbs", old_values."memory_bytes", old_values."memory_gb", old_values."memory_is_sram", old_values."memory_type", old_values."memory_usable_gb", old_values."name", old_values."notes", old_values."pcie_generation", _pgh_attached_context.value, NOW(), 'delete', old_values."id", old_values."process_node", old_values."release_date", old_values."segment", old_values."shares_memory_with_host", old_values."slug", old_values."status", old_values."tdp_w", old_values."vendor_id", old_values."version" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_delete_delete_5a4a5(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_delete_delete_5a4a5() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_peakrateevent" ("accelerator_id", "id", "kind", "number_format", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "tera_ops") SELECT old_values."accelerator_id", old_values."id", old_values."kind", old_values."number_format", _pgh_attached_context.value, NOW(), 'delete', old_values."id", old_values."tera_ops" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_delete_delete_6af56(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_delete_delete_6af56() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_systemevent" ("accelerator_count", "accelerator_id", "changed_at", "fabric", "form", "host_cpu", "host_memory_gb", "id", "name", "notes", "offer_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "power_kw", "scale_out_gbs", "scale_up_domain", "scale_up_gbs", "slug", "status", "total_memory_gb", "vendor_id", "version") SELECT old_values."accelerator_count", old_values."accelerator_id", old_values."changed_at", old_values."fabric", old_values."form", old_values."host_cpu", old_values."host_memory_gb", old_values."id", old_values."name", old_values."notes", old_values."offer_id", _pgh_attached_context.value, NOW(), 'delete', old_values."id", old_values."power_kw", old_values."scale_out_gbs", old_values."scale_up_domain", old_values."scale_up_gbs", old_values."slug", old_values."status", old_values."total_memory_gb", old_values."vendor_id", old_values."version" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_delete_delete_903bd(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_delete_delete_903bd() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_sourceevent" ("id", "licence", "notes", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "published_on", "publisher", "read_on", "restricted", "slug", "title", "url") SELECT old_values."id", old_values."licence", old_values."notes", _pgh_attached_context.value, NOW(), 'delete', old_values."id", old_values."published_on", old_values."publisher", old_values."read_on", old_values."restricted", old_values."slug", old_values."title", old_values."url" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_delete_delete_96001(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_delete_delete_96001() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_vendorevent" ("changed_at", "id", "makes_hardware", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "publishes_models", "slug", "version", "website") SELECT old_values."changed_at", old_values."id", old_values."makes_hardware", old_values."name", _pgh_attached_context.value, NOW(), 'delete', old_values."id", old_values."publishes_models", old_values."slug", old_values."version", old_values."website" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_delete_delete_9713d(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_delete_delete_9713d() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_languagemodelevent" ("architecture", "attention_kind", "changed_at", "confidence", "family", "hf_id", "id", "indexer_elements", "kind", "kv_fixed_bytes", "kv_growing_elements", "kv_window_elements", "licence", "max_context", "name", "native_format", "notes", "parameters_active", "parameters_active_without_embedding", "parameters_mtp", "parameters_total", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "published_active_parameters", "published_parameters", "publisher_id", "quantisation", "release_date", "role", "slug", "version") SELECT old_values."architecture", old_values."attention_kind", old_values."changed_at", old_values."confidence", old_values."family", old_values."hf_id", old_values."id", old_values."indexer_elements", old_values."kind", old_values."kv_fixed_bytes", old_values."kv_growing_elements", old_values."kv_window_elements", old_values."licence", old_values."max_context", old_values."name", old_values."native_format", old_values."notes", old_values."parameters_active", old_values."parameters_active_without_embedding", old_values."parameters_mtp", old_values."parameters_total", _pgh_attached_context.value, NOW(), 'delete', old_values."id", old_values."published_active_parameters", old_values."published_parameters", old_values."publisher_id", old_values."quantisation", old_values."release_date", old_values."role", old_values."slug", old_values."version" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_delete_delete_9c92d(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_delete_delete_9c92d() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_workloadevent" ("changed_at", "edge_only", "id", "isl", "name", "osl", "percentile", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "prefix_share", "reason", "slug", "tpot_limit_ms", "ttft_limit_ms", "version") SELECT old_values."changed_at", old_values."edge_only", old_values."id", old_values."isl", old_values."name", old_values."osl", old_values."percentile", _pgh_attached_context.value, NOW(), 'delete', old_values."id", old_values."position", old_values."prefix_share", old_values."reason", old_values."slug", old_values."tpot_limit_ms", old_values."ttft_limit_ms", old_values."version" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_delete_delete_bf867(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_delete_delete_bf867() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_publishedclaimevent" ("accelerator_id", "conditions", "id", "kind", "language_model_id", "notes", "parameters", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "quantity", "relation", "slug", "source_date", "source_id", "subject", "system_id", "unit", "value") SELECT old_values."accelerator_id", old_values."conditions", old_values."id", old_values."kind", old_values."language_model_id", old_values."notes", old_values."parameters", _pgh_attached_context.value, NOW(), 'delete', old_values."id", old_values."quantity", old_values."relation", old_values."slug", old_values."source_date", old_values."source_id", old_values."subject", old_values."system_id", old_values."unit", old_values."value" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_delete_delete_ca086(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_delete_delete_ca086() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_providerevent" ("id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "slug", "website") SELECT old_values."id", old_values."name", _pgh_attached_context.value, NOW(), 'delete', old_values."id", old_values."slug", old_values."website" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_delete_delete_e443b(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_delete_delete_e443b() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_linkevent" ("accelerator_id", "bandwidth_gbs", "domain_size", "id", "latency_us", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "scope") SELECT old_values."accelerator_id", old_values."bandwidth_gbs", old_values."domain_size", old_values."id", old_values."latency_us", old_values."name", _pgh_attached_context.value, NOW(), 'delete', old_values."id", old_values."scope" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_insert_insert_11b93(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_insert_insert_11b93() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_vendorevent" ("changed_at", "id", "makes_hardware", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "publishes_models", "slug", "version", "website") SELECT new_values."changed_at", new_values."id", new_values."makes_hardware", new_values."name", _pgh_attached_context.value, NOW(), 'insert', new_values."id", new_values."publishes_models", new_values."slug", new_values."version", new_values."website" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_insert_insert_238be(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_insert_insert_238be() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_systemevent" ("accelerator_count", "accelerator_id", "changed_at", "fabric", "form", "host_cpu", "host_memory_gb", "id", "name", "notes", "offer_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "power_kw", "scale_out_gbs", "scale_up_domain", "scale_up_gbs", "slug", "status", "total_memory_gb", "vendor_id", "version") SELECT new_values."accelerator_count", new_values."accelerator_id", new_values."changed_at", new_values."fabric", new_values."form", new_values."host_cpu", new_values."host_memory_gb", new_values."id", new_values."name", new_values."notes", new_values."offer_id", _pgh_attached_context.value, NOW(), 'insert', new_values."id", new_values."power_kw", new_values."scale_out_gbs", new_values."scale_up_domain", new_values."scale_up_gbs", new_values."slug", new_values."status", new_values."total_memory_gb", new_values."vendor_id", new_values."version" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_insert_insert_2c964(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_insert_insert_2c964() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_acceleratorevent" ("changed_at", "confidence", "family", "form_factor", "generation", "id", "kind", "launch_price_usd", "memory_bandwidth_gbs", "memory_bytes", "memory_gb", "memory_is_sram", "memory_type", "memory_usable_gb", "name", "notes", "pcie_generation", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "process_node", "release_date", "segment", "shares_memory_with_host", "slug", "status", "tdp_w", "vendor_id", "version") SELECT new_values."changed_at", new_values."confidence", new_values."family", new_values."form_factor", new_values."generation", new_values."id", new_values."kind", new_values."launch_price_usd", new_values."memory_bandwidth_gbs", new_values."memory_bytes", new_values."memory_gb", new_values."memory_is_sram", new_values."memory_type", new_values."memory_usable_gb", new_values."name", new_values."notes", new_values."pcie_generation", _pgh_attached_context.value, NOW(), 'insert', new_values."id", new_values."process_node", new_values."release_date", new_values."segment", new_values."shares_memory_with_host", new_values."slug", new_values."status", new_values."tdp_w", new_values."vendor_id", new_values."version" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_insert_insert_3650d(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_insert_insert_3650d() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_languagemodelevent" ("architecture", "attention_kind", "changed_at", "confidence", "family", "hf_id", "id", "indexer_elements", "kind", "kv_fixed_bytes", "kv_growing_elements", "kv_window_elements", "licence", "max_context", "name", "native_format", "notes", "parameters_active", "parameters_active_without_embedding", "parameters_mtp", "parameters_total", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "published_active_parameters", "published_parameters", "publisher_id", "quantisation", "release_date", "role", "slug", "version") SELECT new_values."architecture", new_values."attention_kind", new_values."changed_at", new_values."confidence", new_values."family", new_values."hf_id", new_values."id", new_values."indexer_elements", new_values."kind", new_values."kv_fixed_bytes", new_values."kv_growing_elements", new_values."kv_window_elements", new_values."licence", new_values."max_context", new_values."name", new_values."native_format", new_values."notes", new_values."parameters_active", new_values."parameters_active_without_embedding", new_values."parameters_mtp", new_values."parameters_total", _pgh_attached_context.value, NOW(), 'insert', new_values."id", new_values."published_active_parameters", new_values."published_parameters", new_values."publisher_id", new_values."quantisation", new_values."release_date", new_values."role", new_values."slug", new_values."version" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_insert_insert_457ab(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_insert_insert_457ab() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_workloadevent" ("changed_at", "edge_only", "id", "isl", "name", "osl", "percentile", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "prefix_share", "reason", "slug", "tpot_limit_ms", "ttft_limit_ms", "version") SELECT new_values."changed_at", new_values."edge_only", new_values."id", new_values."isl", new_values."name", new_values."osl", new_values."percentile", _pgh_attached_context.value, NOW(), 'insert', new_values."id", new_values."position", new_values."prefix_share", new_values."reason", new_values."slug", new_values."tpot_limit_ms", new_values."ttft_limit_ms", new_values."version" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_insert_insert_60a25(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_insert_insert_60a25() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_figureevent" ("accelerator_id", "accepted", "as_printed", "confidence", "created_at", "id", "kind", "language_model_id", "observed_on", "origin", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "quantity", "reason", "source_id", "sparsity", "system_id", "text", "unit", "value", "workload_id") SELECT new_values."accelerator_id", new_values."accepted", new_values."as_printed", new_values."confidence", new_values."created_at", new_values."id", new_values."kind", new_values."language_model_id", new_values."observed_on", new_values."origin", _pgh_attached_context.value, NOW(), 'insert', new_values."id", new_values."quantity", new_values."reason", new_values."source_id", new_values."sparsity", new_values."system_id", new_values."text", new_values."unit", new_values."value", new_values."workload_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_insert_insert_7ada2(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_insert_insert_7ada2() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_peakrateevent" ("accelerator_id", "id", "kind", "number_format", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "tera_ops") SELECT new_values."accelerator_id", new_values."id", new_values."kind", new_values."number_format", _pgh_attached_context.value, NOW(), 'insert', new_values."id", new_values."tera_ops" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_insert_insert_987f8(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_insert_insert_987f8() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_providerevent" ("id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "slug", "website") SELECT new_values."id", new_values."name", _pgh_attached_context.value, NOW(), 'insert', new_values."id", new_values."slug", new_values."website" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_insert_insert_9b411(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_insert_insert_9b411() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_linkevent" ("accelerator_id", "bandwidth_gbs", "domain_size", "id", "latency_us", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "scope") SELECT new_values."accelerator_id", new_values."bandwidth_gbs", new_values."domain_size", new_values."id", new_values."latency_us", new_values."name", _pgh_attached_context.value, NOW(), 'insert', new_values."id", new_values."scope" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_insert_insert_a2857(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_insert_insert_a2857() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_publishedclaimevent" ("accelerator_id", "conditions", "id", "kind", "language_model_id", "notes", "parameters", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "quantity", "relation", "slug", "source_date", "source_id", "subject", "system_id", "unit", "value") SELECT new_values."accelerator_id", new_values."conditions", new_values."id", new_values."kind", new_values."language_model_id", new_values."notes", new_values."parameters", _pgh_attached_context.value, NOW(), 'insert', new_values."id", new_values."quantity", new_values."relation", new_values."slug", new_values."source_date", new_values."source_id", new_values."subject", new_values."system_id", new_values."unit", new_values."value" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_insert_insert_b96d2(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_insert_insert_b96d2() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_sourceevent" ("id", "licence", "notes", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "published_on", "publisher", "read_on", "restricted", "slug", "title", "url") SELECT new_values."id", new_values."licence", new_values."notes", _pgh_attached_context.value, NOW(), 'insert', new_values."id", new_values."published_on", new_values."publisher", new_values."read_on", new_values."restricted", new_values."slug", new_values."title", new_values."url" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_insert_insert_bd93e(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_insert_insert_bd93e() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_memorytierevent" ("accelerator_id", "bandwidth_gbs", "capacity_gb", "id", "memory_type", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "role", "usable_gb") SELECT new_values."accelerator_id", new_values."bandwidth_gbs", new_values."capacity_gb", new_values."id", new_values."memory_type", _pgh_attached_context.value, NOW(), 'insert', new_values."id", new_values."role", new_values."usable_gb" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_touch_accelerator_delete_46311(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_touch_accelerator_delete_46311() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    UPDATE catalog_accelerator SET version = version + 1, changed_at = clock_timestamp() WHERE id IN (SELECT accelerator_id FROM old_rows); RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_touch_accelerator_delete_799c4(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_touch_accelerator_delete_799c4() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    UPDATE catalog_accelerator SET version = version + 1, changed_at = clock_timestamp() WHERE id IN (SELECT accelerator_id FROM old_rows); RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_touch_accelerator_delete_ed6f9(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_touch_accelerator_delete_ed6f9() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    UPDATE catalog_accelerator SET version = version + 1, changed_at = clock_timestamp() WHERE id IN (SELECT accelerator_id FROM old_rows WHERE accepted AND accelerator_id IS NOT NULL); RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_touch_accelerator_delete_f0189(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_touch_accelerator_delete_f0189() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    UPDATE catalog_accelerator SET version = version + 1, changed_at = clock_timestamp() WHERE id IN (SELECT accelerator_id FROM old_rows); RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_touch_accelerator_delete_f5637(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_touch_accelerator_delete_f5637() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    UPDATE catalog_accelerator SET version = version + 1, changed_at = clock_timestamp() WHERE id IN (SELECT accelerator_id FROM old_rows); RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_touch_accelerator_insert_20fe2(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_touch_accelerator_insert_20fe2() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    UPDATE catalog_accelerator SET version = version + 1, changed_at = clock_timestamp() WHERE id IN (SELECT accelerator_id FROM new_rows); RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_touch_accelerator_insert_c8a41(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_touch_accelerator_insert_c8a41() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    UPDATE catalog_accelerator SET version = version + 1, changed_at = clock_timestamp() WHERE id IN (SELECT accelerator_id FROM new_rows WHERE accepted AND accelerator_id IS NOT NULL); RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_touch_accelerator_insert_f0c95(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_touch_accelerator_insert_f0c95() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    UPDATE catalog_accelerator SET version = version + 1, changed_at = clock_timestamp() WHERE id IN (SELECT accelerator_id FROM new_rows); RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_touch_accelerator_insert_f9e6f(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_touch_accelerator_insert_f9e6f() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    UPDATE catalog_accelerator SET version = version + 1, changed_at = clock_timestamp() WHERE id IN (SELECT accelerator_id FROM new_rows); RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_touch_accelerator_insert_fc833(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_touch_accelerator_insert_fc833() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    UPDATE catalog_accelerator SET version = version + 1, changed_at = clock_timestamp() WHERE id IN (SELECT accelerator_id FROM new_rows); RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_touch_accelerator_update_002cf(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_touch_accelerator_update_002cf() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    UPDATE catalog_accelerator SET version = version + 1, changed_at = clock_timestamp() WHERE id IN (SELECT n.accelerator_id FROM new_rows n JOIN old_rows o USING (id) WHERE n IS DISTINCT FROM o UNION SELECT o.accelerator_id FROM new_rows n JOIN old_rows o USING (id) WHERE n IS DISTINCT FROM o); RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_touch_accelerator_update_060fa(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_touch_accelerator_update_060fa() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    UPDATE catalog_accelerator SET version = version + 1, changed_at = clock_timestamp() WHERE id IN (SELECT n.accelerator_id FROM new_rows n JOIN old_rows o USING (id) WHERE n IS DISTINCT FROM o UNION SELECT o.accelerator_id FROM new_rows n JOIN old_rows o USING (id) WHERE n IS DISTINCT FROM o); RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_touch_accelerator_update_0dd14(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_touch_accelerator_update_0dd14() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    UPDATE catalog_accelerator SET version = version + 1, changed_at = clock_timestamp() WHERE id IN (SELECT n.accelerator_id FROM new_rows n JOIN old_rows o USING (id) WHERE n.accelerator_id IS NOT NULL AND (n.accepted OR o.accepted) AND (n.accepted, n.kind) IS DISTINCT FROM (o.accepted, o.kind)); RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_touch_accelerator_update_eb3c2(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_touch_accelerator_update_eb3c2() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    UPDATE catalog_accelerator SET version = version + 1, changed_at = clock_timestamp() WHERE id IN (SELECT n.accelerator_id FROM new_rows n JOIN old_rows o USING (id) WHERE n IS DISTINCT FROM o UNION SELECT o.accelerator_id FROM new_rows n JOIN old_rows o USING (id) WHERE n IS DISTINCT FROM o); RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_touch_accelerator_update_f3fd2(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_touch_accelerator_update_f3fd2() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    UPDATE catalog_accelerator SET version = version + 1, changed_at = clock_timestamp() WHERE id IN (SELECT n.accelerator_id FROM new_rows n JOIN old_rows o USING (id) WHERE n IS DISTINCT FROM o UNION SELECT o.accelerator_id FROM new_rows n JOIN old_rows o USING (id) WHERE n IS DISTINCT FROM o); RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_update_update_25ad7(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_update_update_25ad7() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_providerevent" ("id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "slug", "website") SELECT new_values."id", new_values."name", _pgh_attached_context.value, NOW(), 'update', new_values."id", new_values."slug", new_values."website" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_update_update_2c1fa(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_update_update_2c1fa() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_languagemodelevent" ("architecture", "attention_kind", "changed_at", "confidence", "family", "hf_id", "id", "indexer_elements", "kind", "kv_fixed_bytes", "kv_growing_elements", "kv_window_elements", "licence", "max_context", "name", "native_format", "notes", "parameters_active", "parameters_active_without_embedding", "parameters_mtp", "parameters_total", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "published_active_parameters", "published_parameters", "publisher_id", "quantisation", "release_date", "role", "slug", "version") SELECT new_values."architecture", new_values."attention_kind", new_values."changed_at", new_values."confidence", new_values."family", new_values."hf_id", new_values."id", new_values."indexer_elements", new_values."kind", new_values."kv_fixed_bytes", new_values."kv_growing_elements", new_values."kv_window_elements", new_values."licence", new_values."max_context", new_values."name", new_values."native_format", new_values."notes", new_values."parameters_active", new_values."parameters_active_without_embedding", new_values."parameters_mtp", new_values."parameters_total", _pgh_attached_context.value, NOW(), 'update', new_values."id", new_values."published_active_parameters", new_values."published_parameters", new_values."publisher_id", new_values."quantisation", new_values."release_date", new_values."role", new_values."slug", new_values."version" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_update_update_3c8ac(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_update_update_3c8ac() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_linkevent" ("accelerator_id", "bandwidth_gbs", "domain_size", "id", "latency_us", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "scope") SELECT new_values."accelerator_id", new_values."bandwidth_gbs", new_values."domain_size", new_values."id", new_values."latency_us", new_values."name", _pgh_attached_context.value, NOW(), 'update', new_values."id", new_values."scope" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_update_update_4c723(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_update_update_4c723() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_acceleratorevent" ("changed_at", "confidence", "family", "form_factor", "generation", "id", "kind", "launch_price_usd", "memory_bandwidth_gbs", "memory_bytes", "memory_gb", "memory_is_sram", "memory_type", "memory_usable_gb", "name", "notes", "pcie_generation", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "process_node", "release_date", "segment", "shares_memory_with_host", "slug", "status", "tdp_w", "vendor_id", "version") SELECT new_values."changed_at", new_values."confidence", new_values."family", new_values."form_factor", new_values."generation", new_values."id", new_values."kind", new_values."launch_price_usd", new_values."memory_bandwidth_gbs", new_values."memory_bytes", new_values."memory_gb", new_values."memory_is_sram", new_values."memory_type", new_values."memory_usable_gb", new_values."name", new_values."notes", new_values."pcie_generation", _pgh_attached_context.value, NOW(), 'update', new_values."id", new_values."process_node", new_values."release_date", new_values."segment", new_values."shares_memory_with_host", new_values."slug", new_values."status", new_values."tdp_w", new_values."vendor_id", new_values."version" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_update_update_5fe80(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_update_update_5fe80() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_memorytierevent" ("accelerator_id", "bandwidth_gbs", "capacity_gb", "id", "memory_type", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "role", "usable_gb") SELECT new_values."accelerator_id", new_values."bandwidth_gbs", new_values."capacity_gb", new_values."id", new_values."memory_type", _pgh_attached_context.value, NOW(), 'update', new_values."id", new_values."role", new_values."usable_gb" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_update_update_6b089(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_update_update_6b089() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_figureevent" ("accelerator_id", "accepted", "as_printed", "confidence", "created_at", "id", "kind", "language_model_id", "observed_on", "origin", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "quantity", "reason", "source_id", "sparsity", "system_id", "text", "unit", "value", "workload_id") SELECT new_values."accelerator_id", new_values."accepted", new_values."as_printed", new_values."confidence", new_values."created_at", new_values."id", new_values."kind", new_values."language_model_id", new_values."observed_on", new_values."origin", _pgh_attached_context.value, NOW(), 'update', new_values."id", new_values."quantity", new_values."reason", new_values."source_id", new_values."sparsity", new_values."system_id", new_values."text", new_values."unit", new_values."value", new_values."workload_id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_update_update_83327(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_update_update_83327() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_peakrateevent" ("accelerator_id", "id", "kind", "number_format", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "tera_ops") SELECT new_values."accelerator_id", new_values."id", new_values."kind", new_values."number_format", _pgh_attached_context.value, NOW(), 'update', new_values."id", new_values."tera_ops" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_update_update_83938(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_update_update_83938() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_workloadevent" ("changed_at", "edge_only", "id", "isl", "name", "osl", "percentile", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "prefix_share", "reason", "slug", "tpot_limit_ms", "ttft_limit_ms", "version") SELECT new_values."changed_at", new_values."edge_only", new_values."id", new_values."isl", new_values."name", new_values."osl", new_values."percentile", _pgh_attached_context.value, NOW(), 'update', new_values."id", new_values."position", new_values."prefix_share", new_values."reason", new_values."slug", new_values."tpot_limit_ms", new_values."ttft_limit_ms", new_values."version" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_update_update_9fccd(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_update_update_9fccd() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_sourceevent" ("id", "licence", "notes", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "published_on", "publisher", "read_on", "restricted", "slug", "title", "url") SELECT new_values."id", new_values."licence", new_values."notes", _pgh_attached_context.value, NOW(), 'update', new_values."id", new_values."published_on", new_values."publisher", new_values."read_on", new_values."restricted", new_values."slug", new_values."title", new_values."url" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_update_update_caaa4(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_update_update_caaa4() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_vendorevent" ("changed_at", "id", "makes_hardware", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "publishes_models", "slug", "version", "website") SELECT new_values."changed_at", new_values."id", new_values."makes_hardware", new_values."name", _pgh_attached_context.value, NOW(), 'update', new_values."id", new_values."publishes_models", new_values."slug", new_values."version", new_values."website" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_update_update_f4af3(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_update_update_f4af3() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_systemevent" ("accelerator_count", "accelerator_id", "changed_at", "fabric", "form", "host_cpu", "host_memory_gb", "id", "name", "notes", "offer_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "power_kw", "scale_out_gbs", "scale_up_domain", "scale_up_gbs", "slug", "status", "total_memory_gb", "vendor_id", "version") SELECT new_values."accelerator_count", new_values."accelerator_id", new_values."changed_at", new_values."fabric", new_values."form", new_values."host_cpu", new_values."host_memory_gb", new_values."id", new_values."name", new_values."notes", new_values."offer_id", _pgh_attached_context.value, NOW(), 'update', new_values."id", new_values."power_kw", new_values."scale_out_gbs", new_values."scale_up_domain", new_values."scale_up_gbs", new_values."slug", new_values."status", new_values."total_memory_gb", new_values."vendor_id", new_values."version" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


--
-- Name: pgtrigger_update_update_ff815(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.pgtrigger_update_update_ff815() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_publishedclaimevent" ("accelerator_id", "conditions", "id", "kind", "language_model_id", "notes", "parameters", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "quantity", "relation", "slug", "source_date", "source_id", "subject", "system_id", "unit", "value") SELECT new_values."accelerator_id", new_values."conditions", new_values."id", new_values."kind", new_values."language_model_id", new_values."notes", new_values."parameters", _pgh_attached_context.value, NOW(), 'update', new_values."id", new_values."quantity", new_values."relation", new_values."slug", new_values."source_date", new_values."source_id", new_values."subject", new_values."system_id", new_values."unit", new_values."value" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;
                END;
            $$;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: access_accesstoken; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.access_accesstoken (
    id bigint NOT NULL,
    prefix character varying(12) NOT NULL,
    digest character varying(64) NOT NULL,
    name character varying(100) NOT NULL,
    scopes character varying(20)[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    last_used_at timestamp with time zone,
    owner_id integer NOT NULL
);


--
-- Name: access_accesstoken_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.access_accesstoken ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.access_accesstoken_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: auth_group; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.auth_group (
    id integer NOT NULL,
    name character varying(150) NOT NULL
);


--
-- Name: auth_group_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.auth_group ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_group_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: auth_group_permissions; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.auth_group_permissions (
    id bigint NOT NULL,
    group_id integer NOT NULL,
    permission_id integer NOT NULL
);


--
-- Name: auth_group_permissions_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.auth_group_permissions ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_group_permissions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: auth_permission; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.auth_permission (
    id integer NOT NULL,
    name character varying(255) NOT NULL,
    content_type_id integer NOT NULL,
    codename character varying(100) NOT NULL
);


--
-- Name: auth_permission_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.auth_permission ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_permission_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: auth_user; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.auth_user (
    id integer NOT NULL,
    password character varying(128) NOT NULL,
    last_login timestamp with time zone,
    is_superuser boolean NOT NULL,
    username character varying(150) NOT NULL,
    first_name character varying(150) NOT NULL,
    last_name character varying(150) NOT NULL,
    email character varying(254) NOT NULL,
    is_staff boolean NOT NULL,
    is_active boolean NOT NULL,
    date_joined timestamp with time zone NOT NULL
);


--
-- Name: auth_user_groups; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.auth_user_groups (
    id bigint NOT NULL,
    user_id integer NOT NULL,
    group_id integer NOT NULL
);


--
-- Name: auth_user_groups_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.auth_user_groups ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_user_groups_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: auth_user_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.auth_user ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_user_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: auth_user_user_permissions; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.auth_user_user_permissions (
    id bigint NOT NULL,
    user_id integer NOT NULL,
    permission_id integer NOT NULL
);


--
-- Name: auth_user_user_permissions_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.auth_user_user_permissions ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_user_user_permissions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_accelerator; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_accelerator (
    id bigint NOT NULL,
    slug character varying(120) NOT NULL,
    name character varying(200) NOT NULL,
    family character varying(100) NOT NULL,
    generation character varying(100) NOT NULL,
    kind character varying(10) NOT NULL,
    segment character varying(20) NOT NULL,
    form_factor character varying(40) NOT NULL,
    status character varying(20) NOT NULL,
    release_date character varying(10) NOT NULL,
    process_node character varying(100) NOT NULL,
    memory_type character varying(60) NOT NULL,
    memory_gb double precision,
    memory_bytes bigint,
    memory_usable_gb double precision,
    memory_bandwidth_gbs double precision,
    memory_is_sram boolean NOT NULL,
    shares_memory_with_host boolean NOT NULL,
    tdp_w double precision,
    launch_price_usd numeric(12,2),
    pcie_generation smallint,
    confidence character varying(10) NOT NULL,
    notes text NOT NULL,
    version integer NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    vendor_id bigint NOT NULL,
    CONSTRAINT catalog_accelerator_launch_price_usd_positive CHECK (((launch_price_usd IS NULL) OR ((launch_price_usd > (0)::numeric) AND (launch_price_usd < ('1000000000000000'::bigint)::numeric)))),
    CONSTRAINT catalog_accelerator_memory_bandwidth_gbs_positive CHECK (((memory_bandwidth_gbs IS NULL) OR ((memory_bandwidth_gbs > (0.0)::double precision) AND (memory_bandwidth_gbs < (1000000000000000.0)::double precision)))),
    CONSTRAINT catalog_accelerator_memory_bytes_positive CHECK (((memory_bytes IS NULL) OR ((memory_bytes > 0) AND (memory_bytes < '1000000000000000'::bigint)))),
    CONSTRAINT catalog_accelerator_memory_gb_positive CHECK (((memory_gb IS NULL) OR ((memory_gb > (0.0)::double precision) AND (memory_gb < (1000000000000000.0)::double precision)))),
    CONSTRAINT catalog_accelerator_memory_usable_gb_positive CHECK (((memory_usable_gb IS NULL) OR ((memory_usable_gb > (0.0)::double precision) AND (memory_usable_gb < (1000000000000000.0)::double precision)))),
    CONSTRAINT catalog_accelerator_pcie_generation_check CHECK ((pcie_generation >= 0)),
    CONSTRAINT catalog_accelerator_pcie_generation_positive CHECK (((pcie_generation IS NULL) OR (pcie_generation > 0))),
    CONSTRAINT catalog_accelerator_tdp_w_positive CHECK (((tdp_w IS NULL) OR ((tdp_w > (0.0)::double precision) AND (tdp_w < (1000000000000000.0)::double precision)))),
    CONSTRAINT catalog_accelerator_version_check CHECK ((version >= 0))
);


--
-- Name: catalog_accelerator_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_accelerator ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_accelerator_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_acceleratorevent; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_acceleratorevent (
    pgh_id integer NOT NULL,
    pgh_created_at timestamp with time zone NOT NULL,
    pgh_label text NOT NULL,
    id bigint NOT NULL,
    slug character varying(120) NOT NULL,
    name character varying(200) NOT NULL,
    family character varying(100) NOT NULL,
    generation character varying(100) NOT NULL,
    kind character varying(10) NOT NULL,
    segment character varying(20) NOT NULL,
    form_factor character varying(40) NOT NULL,
    status character varying(20) NOT NULL,
    release_date character varying(10) NOT NULL,
    process_node character varying(100) NOT NULL,
    memory_type character varying(60) NOT NULL,
    memory_gb double precision,
    memory_bytes bigint,
    memory_usable_gb double precision,
    memory_bandwidth_gbs double precision,
    memory_is_sram boolean NOT NULL,
    shares_memory_with_host boolean NOT NULL,
    tdp_w double precision,
    launch_price_usd numeric(12,2),
    pcie_generation smallint,
    confidence character varying(10) NOT NULL,
    notes text NOT NULL,
    version integer NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    pgh_context_id uuid,
    pgh_obj_id bigint NOT NULL,
    vendor_id bigint NOT NULL,
    CONSTRAINT catalog_acceleratorevent_pcie_generation_check CHECK ((pcie_generation >= 0)),
    CONSTRAINT catalog_acceleratorevent_version_check CHECK ((version >= 0))
);


--
-- Name: catalog_acceleratorevent_pgh_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_acceleratorevent ALTER COLUMN pgh_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_acceleratorevent_pgh_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_figure; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_figure (
    id bigint NOT NULL,
    quantity character varying(100) NOT NULL,
    value double precision,
    text character varying(500) NOT NULL,
    unit character varying(30) NOT NULL,
    as_printed character varying(200) NOT NULL,
    sparsity character varying(10) NOT NULL,
    kind character varying(20) NOT NULL,
    confidence character varying(10) NOT NULL,
    observed_on character varying(10) NOT NULL,
    accepted boolean NOT NULL,
    origin character varying(10) NOT NULL,
    reason text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    accelerator_id bigint,
    language_model_id bigint,
    source_id bigint,
    system_id bigint,
    workload_id bigint,
    CONSTRAINT catalog_figure_has_value CHECK (((value IS NOT NULL) OR (NOT ((text)::text = ''::text)))),
    CONSTRAINT catalog_figure_one_subject CHECK ((((accelerator_id IS NOT NULL) AND (language_model_id IS NULL) AND (system_id IS NULL) AND (workload_id IS NULL)) OR ((accelerator_id IS NULL) AND (language_model_id IS NULL) AND (system_id IS NOT NULL) AND (workload_id IS NULL)) OR ((accelerator_id IS NULL) AND (language_model_id IS NOT NULL) AND (system_id IS NULL) AND (workload_id IS NULL)) OR ((accelerator_id IS NULL) AND (language_model_id IS NULL) AND (system_id IS NULL) AND (workload_id IS NOT NULL)))),
    CONSTRAINT catalog_figure_source_or_assumed CHECK (((source_id IS NOT NULL) OR ((kind)::text = ANY ((ARRAY['assumed'::character varying, 'derived'::character varying])::text[])))),
    CONSTRAINT catalog_figure_value_finite CHECK (((value IS NULL) OR ((value > '-Infinity'::double precision) AND (value < 'Infinity'::double precision))))
);


--
-- Name: catalog_figure_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_figure ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_figure_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_figureevent; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_figureevent (
    pgh_id integer NOT NULL,
    pgh_created_at timestamp with time zone NOT NULL,
    pgh_label text NOT NULL,
    id bigint NOT NULL,
    quantity character varying(100) NOT NULL,
    value double precision,
    text character varying(500) NOT NULL,
    unit character varying(30) NOT NULL,
    as_printed character varying(200) NOT NULL,
    sparsity character varying(10) NOT NULL,
    kind character varying(20) NOT NULL,
    confidence character varying(10) NOT NULL,
    observed_on character varying(10) NOT NULL,
    accepted boolean NOT NULL,
    origin character varying(10) NOT NULL,
    reason text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    accelerator_id bigint,
    pgh_context_id uuid,
    pgh_obj_id bigint NOT NULL,
    language_model_id bigint,
    source_id bigint,
    system_id bigint,
    workload_id bigint
);


--
-- Name: catalog_figureevent_pgh_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_figureevent ALTER COLUMN pgh_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_figureevent_pgh_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_languagemodel; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_languagemodel (
    id bigint NOT NULL,
    slug character varying(160) NOT NULL,
    hf_id character varying(200) NOT NULL,
    name character varying(200) NOT NULL,
    family character varying(100) NOT NULL,
    role character varying(20) NOT NULL,
    licence character varying(100) NOT NULL,
    release_date character varying(10) NOT NULL,
    attention_kind character varying(60) NOT NULL,
    native_format character varying(20) NOT NULL,
    max_context integer,
    architecture jsonb NOT NULL,
    quantisation jsonb NOT NULL,
    kind character varying(20) NOT NULL,
    confidence character varying(10) NOT NULL,
    parameters_total bigint NOT NULL,
    parameters_active bigint NOT NULL,
    parameters_active_without_embedding bigint CONSTRAINT catalog_languagemodel_parameters_active_without_embedd_not_null NOT NULL,
    parameters_mtp bigint NOT NULL,
    published_parameters bigint,
    published_active_parameters bigint,
    kv_growing_elements bigint NOT NULL,
    kv_window_elements bigint NOT NULL,
    kv_fixed_bytes bigint NOT NULL,
    indexer_elements bigint NOT NULL,
    notes text NOT NULL,
    version integer NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    publisher_id bigint,
    CONSTRAINT catalog_languagemodel_kv_fixed_bytes_not_negative CHECK (((kv_fixed_bytes IS NULL) OR ((kv_fixed_bytes >= 0) AND (kv_fixed_bytes < '1000000000000000'::bigint)))),
    CONSTRAINT catalog_languagemodel_kv_growing_elements_not_negative CHECK (((kv_growing_elements IS NULL) OR ((kv_growing_elements >= 0) AND (kv_growing_elements < '1000000000000000'::bigint)))),
    CONSTRAINT catalog_languagemodel_kv_window_elements_not_negative CHECK (((kv_window_elements IS NULL) OR ((kv_window_elements >= 0) AND (kv_window_elements < '1000000000000000'::bigint)))),
    CONSTRAINT catalog_languagemodel_max_context_check CHECK ((max_context >= 0)),
    CONSTRAINT catalog_languagemodel_max_context_positive CHECK (((max_context IS NULL) OR (max_context > 0))),
    CONSTRAINT catalog_languagemodel_parameters_active_positive CHECK (((parameters_active IS NULL) OR ((parameters_active > 0) AND (parameters_active < '1000000000000000'::bigint)))),
    CONSTRAINT catalog_languagemodel_parameters_mtp_not_negative CHECK (((parameters_mtp IS NULL) OR ((parameters_mtp >= 0) AND (parameters_mtp < '1000000000000000'::bigint)))),
    CONSTRAINT catalog_languagemodel_parameters_total_positive CHECK (((parameters_total IS NULL) OR ((parameters_total > 0) AND (parameters_total < '1000000000000000'::bigint)))),
    CONSTRAINT catalog_languagemodel_published_parameters_positive CHECK (((published_parameters IS NULL) OR ((published_parameters > 0) AND (published_parameters < '1000000000000000'::bigint)))),
    CONSTRAINT catalog_languagemodel_version_check CHECK ((version >= 0))
);


--
-- Name: catalog_languagemodel_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_languagemodel ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_languagemodel_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_languagemodelevent; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_languagemodelevent (
    pgh_id integer NOT NULL,
    pgh_created_at timestamp with time zone NOT NULL,
    pgh_label text NOT NULL,
    id bigint NOT NULL,
    slug character varying(160) NOT NULL,
    hf_id character varying(200) NOT NULL,
    name character varying(200) NOT NULL,
    family character varying(100) NOT NULL,
    role character varying(20) NOT NULL,
    licence character varying(100) NOT NULL,
    release_date character varying(10) NOT NULL,
    attention_kind character varying(60) NOT NULL,
    native_format character varying(20) NOT NULL,
    max_context integer,
    architecture jsonb NOT NULL,
    quantisation jsonb NOT NULL,
    kind character varying(20) NOT NULL,
    confidence character varying(10) NOT NULL,
    parameters_total bigint NOT NULL,
    parameters_active bigint NOT NULL,
    parameters_active_without_embedding bigint CONSTRAINT catalog_languagemodelevent_parameters_active_without_e_not_null NOT NULL,
    parameters_mtp bigint NOT NULL,
    published_parameters bigint,
    published_active_parameters bigint,
    kv_growing_elements bigint NOT NULL,
    kv_window_elements bigint NOT NULL,
    kv_fixed_bytes bigint NOT NULL,
    indexer_elements bigint NOT NULL,
    notes text NOT NULL,
    version integer NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    pgh_context_id uuid,
    pgh_obj_id bigint NOT NULL,
    publisher_id bigint,
    CONSTRAINT catalog_languagemodelevent_max_context_check CHECK ((max_context >= 0)),
    CONSTRAINT catalog_languagemodelevent_version_check CHECK ((version >= 0))
);


--
-- Name: catalog_languagemodelevent_pgh_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_languagemodelevent ALTER COLUMN pgh_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_languagemodelevent_pgh_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_link; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_link (
    id bigint NOT NULL,
    scope character varying(10) NOT NULL,
    name character varying(100) NOT NULL,
    bandwidth_gbs double precision,
    latency_us double precision,
    domain_size integer,
    accelerator_id bigint NOT NULL,
    CONSTRAINT catalog_link_bandwidth_gbs_positive CHECK (((bandwidth_gbs IS NULL) OR ((bandwidth_gbs > (0.0)::double precision) AND (bandwidth_gbs < (1000000000000000.0)::double precision)))),
    CONSTRAINT catalog_link_domain_size_check CHECK ((domain_size >= 0)),
    CONSTRAINT catalog_link_domain_size_positive CHECK (((domain_size IS NULL) OR (domain_size > 0))),
    CONSTRAINT catalog_link_latency_us_not_negative CHECK (((latency_us IS NULL) OR ((latency_us >= (0.0)::double precision) AND (latency_us < (1000000000000000.0)::double precision))))
);


--
-- Name: catalog_link_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_link ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_link_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_linkevent; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_linkevent (
    pgh_id integer NOT NULL,
    pgh_created_at timestamp with time zone NOT NULL,
    pgh_label text NOT NULL,
    id bigint NOT NULL,
    scope character varying(10) NOT NULL,
    name character varying(100) NOT NULL,
    bandwidth_gbs double precision,
    latency_us double precision,
    domain_size integer,
    accelerator_id bigint NOT NULL,
    pgh_context_id uuid,
    pgh_obj_id bigint NOT NULL,
    CONSTRAINT catalog_linkevent_domain_size_check CHECK ((domain_size >= 0))
);


--
-- Name: catalog_linkevent_pgh_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_linkevent ALTER COLUMN pgh_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_linkevent_pgh_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_loadedrow; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_loadedrow (
    id bigint NOT NULL,
    kind character varying(40) NOT NULL,
    key character varying(200) NOT NULL,
    "values" jsonb NOT NULL
);


--
-- Name: catalog_loadedrow_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_loadedrow ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_loadedrow_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_measuredvalue; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_measuredvalue (
    id bigint NOT NULL,
    metric character varying(40) NOT NULL,
    value double precision NOT NULL,
    run_id bigint NOT NULL,
    CONSTRAINT catalog_measuredvalue_value_positive CHECK (((value IS NULL) OR ((value > (0.0)::double precision) AND (value < (1000000000000000.0)::double precision))))
);


--
-- Name: catalog_measuredvalue_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_measuredvalue ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_measuredvalue_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_measurementrun; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_measurementrun (
    id bigint NOT NULL,
    run_id character varying(300) NOT NULL,
    source_date character varying(10) NOT NULL,
    accelerator_as_printed character varying(200) NOT NULL,
    accelerator_count integer,
    system_as_printed character varying(300) NOT NULL,
    model_as_printed character varying(200) NOT NULL,
    weight_format character varying(40) NOT NULL,
    kv_format character varying(20) NOT NULL,
    framework character varying(100) NOT NULL,
    framework_version character varying(100) NOT NULL,
    serving character varying(20) NOT NULL,
    workers integer,
    tp integer,
    pp integer,
    ep integer,
    dp integer,
    moe_tp integer,
    prefill_workers integer,
    prefill_tp integer,
    prefill_pp integer,
    prefill_ep integer,
    prefill_dp integer,
    isl double precision,
    osl double precision,
    concurrency double precision,
    scenario character varying(40) NOT NULL,
    flags character varying(40)[] NOT NULL,
    notes text NOT NULL,
    accelerator_id bigint,
    language_model_id bigint,
    source_id bigint NOT NULL,
    CONSTRAINT catalog_measurementrun_accelerator_count_check CHECK ((accelerator_count >= 0)),
    CONSTRAINT catalog_measurementrun_accelerator_count_positive CHECK (((accelerator_count IS NULL) OR (accelerator_count > 0))),
    CONSTRAINT catalog_measurementrun_concurrency_positive CHECK (((concurrency IS NULL) OR ((concurrency > (0.0)::double precision) AND (concurrency < (1000000000000000.0)::double precision)))),
    CONSTRAINT catalog_measurementrun_dp_check CHECK ((dp >= 0)),
    CONSTRAINT catalog_measurementrun_ep_check CHECK ((ep >= 0)),
    CONSTRAINT catalog_measurementrun_moe_tp_check CHECK ((moe_tp >= 0)),
    CONSTRAINT catalog_measurementrun_pp_check CHECK ((pp >= 0)),
    CONSTRAINT catalog_measurementrun_prefill_dp_check CHECK ((prefill_dp >= 0)),
    CONSTRAINT catalog_measurementrun_prefill_ep_check CHECK ((prefill_ep >= 0)),
    CONSTRAINT catalog_measurementrun_prefill_pp_check CHECK ((prefill_pp >= 0)),
    CONSTRAINT catalog_measurementrun_prefill_tp_check CHECK ((prefill_tp >= 0)),
    CONSTRAINT catalog_measurementrun_prefill_workers_check CHECK ((prefill_workers >= 0)),
    CONSTRAINT catalog_measurementrun_tp_check CHECK ((tp >= 0)),
    CONSTRAINT catalog_measurementrun_workers_check CHECK ((workers >= 0))
);


--
-- Name: catalog_measurementrun_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_measurementrun ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_measurementrun_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_memorytier; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_memorytier (
    id bigint NOT NULL,
    role character varying(10) NOT NULL,
    memory_type character varying(60) NOT NULL,
    capacity_gb double precision NOT NULL,
    usable_gb double precision,
    bandwidth_gbs double precision,
    accelerator_id bigint NOT NULL,
    CONSTRAINT catalog_memorytier_bandwidth_gbs_positive CHECK (((bandwidth_gbs IS NULL) OR ((bandwidth_gbs > (0.0)::double precision) AND (bandwidth_gbs < (1000000000000000.0)::double precision)))),
    CONSTRAINT catalog_memorytier_capacity_gb_positive CHECK (((capacity_gb IS NULL) OR ((capacity_gb > (0.0)::double precision) AND (capacity_gb < (1000000000000000.0)::double precision)))),
    CONSTRAINT catalog_memorytier_usable_gb_positive CHECK (((usable_gb IS NULL) OR ((usable_gb > (0.0)::double precision) AND (usable_gb < (1000000000000000.0)::double precision))))
);


--
-- Name: catalog_memorytier_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_memorytier ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_memorytier_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_memorytierevent; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_memorytierevent (
    pgh_id integer NOT NULL,
    pgh_created_at timestamp with time zone NOT NULL,
    pgh_label text NOT NULL,
    id bigint NOT NULL,
    role character varying(10) NOT NULL,
    memory_type character varying(60) NOT NULL,
    capacity_gb double precision NOT NULL,
    usable_gb double precision,
    bandwidth_gbs double precision,
    accelerator_id bigint NOT NULL,
    pgh_context_id uuid,
    pgh_obj_id bigint NOT NULL
);


--
-- Name: catalog_memorytierevent_pgh_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_memorytierevent ALTER COLUMN pgh_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_memorytierevent_pgh_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_modelalias; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_modelalias (
    id bigint NOT NULL,
    name character varying(200) NOT NULL,
    same_architecture_only boolean NOT NULL,
    language_model_id bigint NOT NULL
);


--
-- Name: catalog_modelalias_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_modelalias ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_modelalias_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_offer; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_offer (
    id bigint NOT NULL,
    slug character varying(160) NOT NULL,
    count integer NOT NULL,
    scale_up_gbs double precision,
    scale_up_domain integer,
    scale_out_gbs double precision,
    retired boolean NOT NULL,
    accelerator_id bigint NOT NULL,
    CONSTRAINT catalog_offer_count_check CHECK ((count >= 0)),
    CONSTRAINT catalog_offer_count_positive CHECK (((count IS NULL) OR (count > 0))),
    CONSTRAINT catalog_offer_scale_out_gbs_not_negative CHECK (((scale_out_gbs IS NULL) OR ((scale_out_gbs >= (0.0)::double precision) AND (scale_out_gbs < (1000000000000000.0)::double precision)))),
    CONSTRAINT catalog_offer_scale_up_domain_check CHECK ((scale_up_domain >= 0)),
    CONSTRAINT catalog_offer_scale_up_domain_positive CHECK (((scale_up_domain IS NULL) OR (scale_up_domain > 0))),
    CONSTRAINT catalog_offer_scale_up_gbs_positive CHECK (((scale_up_gbs IS NULL) OR ((scale_up_gbs > (0.0)::double precision) AND (scale_up_gbs < (1000000000000000.0)::double precision))))
);


--
-- Name: catalog_offer_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_offer ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_offer_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_peakrate; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_peakrate (
    id bigint NOT NULL,
    number_format character varying(10) NOT NULL,
    tera_ops double precision NOT NULL,
    kind character varying(20) NOT NULL,
    accelerator_id bigint NOT NULL,
    CONSTRAINT catalog_peakrate_tera_ops_positive CHECK (((tera_ops IS NULL) OR ((tera_ops > (0.0)::double precision) AND (tera_ops < (1000000000000000.0)::double precision))))
);


--
-- Name: catalog_peakrate_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_peakrate ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_peakrate_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_peakrateevent; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_peakrateevent (
    pgh_id integer NOT NULL,
    pgh_created_at timestamp with time zone NOT NULL,
    pgh_label text NOT NULL,
    id bigint NOT NULL,
    number_format character varying(10) NOT NULL,
    tera_ops double precision NOT NULL,
    kind character varying(20) NOT NULL,
    accelerator_id bigint NOT NULL,
    pgh_context_id uuid,
    pgh_obj_id bigint NOT NULL
);


--
-- Name: catalog_peakrateevent_pgh_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_peakrateevent ALTER COLUMN pgh_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_peakrateevent_pgh_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_pricequote; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_pricequote (
    id bigint NOT NULL,
    key character varying(64) NOT NULL,
    offering character varying(200) NOT NULL,
    accelerator_count numeric(9,3) NOT NULL,
    region character varying(100) NOT NULL,
    country character varying(2) NOT NULL,
    price_per_hour numeric(14,6) NOT NULL,
    currency character varying(3) NOT NULL,
    pricing_model character varying(12) NOT NULL,
    term character varying(20) NOT NULL,
    kind character varying(8) NOT NULL,
    observed_on date,
    valid_until date,
    suspect character varying(200) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    accelerator_id bigint NOT NULL,
    provider_id bigint NOT NULL,
    source_id bigint NOT NULL,
    CONSTRAINT catalog_pricequote_accelerator_count_positive CHECK (((accelerator_count IS NULL) OR ((accelerator_count > (0)::numeric) AND (accelerator_count < ('1000000000000000'::bigint)::numeric)))),
    CONSTRAINT catalog_pricequote_price_per_hour_positive CHECK (((price_per_hour IS NULL) OR ((price_per_hour > (0)::numeric) AND (price_per_hour < ('1000000000000000'::bigint)::numeric))))
);


--
-- Name: catalog_pricequote_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_pricequote ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_pricequote_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_provider; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_provider (
    id bigint NOT NULL,
    slug character varying(100) NOT NULL,
    name character varying(200) NOT NULL,
    website character varying(200) NOT NULL
);


--
-- Name: catalog_provider_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_provider ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_provider_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_providerevent; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_providerevent (
    pgh_id integer NOT NULL,
    pgh_created_at timestamp with time zone NOT NULL,
    pgh_label text NOT NULL,
    id bigint NOT NULL,
    slug character varying(100) NOT NULL,
    name character varying(200) NOT NULL,
    website character varying(200) NOT NULL,
    pgh_context_id uuid,
    pgh_obj_id bigint NOT NULL
);


--
-- Name: catalog_providerevent_pgh_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_providerevent ALTER COLUMN pgh_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_providerevent_pgh_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_publishedclaim; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_publishedclaim (
    id bigint NOT NULL,
    slug character varying(160) NOT NULL,
    subject character varying(300) NOT NULL,
    quantity character varying(60) NOT NULL,
    value double precision,
    unit character varying(20) NOT NULL,
    relation character varying(4) NOT NULL,
    conditions text NOT NULL,
    kind character varying(30) NOT NULL,
    source_date character varying(10) NOT NULL,
    parameters jsonb NOT NULL,
    notes text NOT NULL,
    accelerator_id bigint,
    language_model_id bigint,
    source_id bigint NOT NULL,
    system_id bigint,
    CONSTRAINT catalog_publishedclaim_value_finite CHECK (((value IS NULL) OR ((value > '-Infinity'::double precision) AND (value < 'Infinity'::double precision))))
);


--
-- Name: catalog_publishedclaim_further_sources; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_publishedclaim_further_sources (
    id bigint NOT NULL,
    publishedclaim_id bigint CONSTRAINT catalog_publishedclaim_further_sourc_publishedclaim_id_not_null NOT NULL,
    source_id bigint NOT NULL
);


--
-- Name: catalog_publishedclaim_further_sources_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_publishedclaim_further_sources ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_publishedclaim_further_sources_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_publishedclaim_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_publishedclaim ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_publishedclaim_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_publishedclaimevent; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_publishedclaimevent (
    pgh_id integer NOT NULL,
    pgh_created_at timestamp with time zone NOT NULL,
    pgh_label text NOT NULL,
    id bigint NOT NULL,
    slug character varying(160) NOT NULL,
    subject character varying(300) NOT NULL,
    quantity character varying(60) NOT NULL,
    value double precision,
    unit character varying(20) NOT NULL,
    relation character varying(4) NOT NULL,
    conditions text NOT NULL,
    kind character varying(30) NOT NULL,
    source_date character varying(10) NOT NULL,
    parameters jsonb NOT NULL,
    notes text NOT NULL,
    accelerator_id bigint,
    language_model_id bigint,
    pgh_context_id uuid,
    pgh_obj_id bigint NOT NULL,
    source_id bigint NOT NULL,
    system_id bigint
);


--
-- Name: catalog_publishedclaimevent_pgh_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_publishedclaimevent ALTER COLUMN pgh_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_publishedclaimevent_pgh_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_purchaseprice; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_purchaseprice (
    id bigint NOT NULL,
    key character varying(64) NOT NULL,
    hardware_name character varying(200) NOT NULL,
    price numeric(14,2) NOT NULL,
    currency character varying(3) NOT NULL,
    basis character varying(200) NOT NULL,
    year smallint,
    created_at timestamp with time zone NOT NULL,
    accelerator_id bigint,
    source_id bigint NOT NULL,
    CONSTRAINT catalog_purchaseprice_price_positive CHECK (((price IS NULL) OR ((price > (0)::numeric) AND (price < ('1000000000000000'::bigint)::numeric)))),
    CONSTRAINT catalog_purchaseprice_year_check CHECK ((year >= 0))
);


--
-- Name: catalog_purchaseprice_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_purchaseprice ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_purchaseprice_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_source; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_source (
    id bigint NOT NULL,
    slug character varying(200) NOT NULL,
    title character varying(500) NOT NULL,
    url character varying(1000) NOT NULL,
    publisher character varying(200) NOT NULL,
    published_on character varying(10) NOT NULL,
    read_on date,
    licence character varying(200) NOT NULL,
    restricted boolean NOT NULL,
    notes text NOT NULL
);


--
-- Name: catalog_source_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_source ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_source_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_sourceevent; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_sourceevent (
    pgh_id integer NOT NULL,
    pgh_created_at timestamp with time zone NOT NULL,
    pgh_label text NOT NULL,
    id bigint NOT NULL,
    slug character varying(200) NOT NULL,
    title character varying(500) NOT NULL,
    url character varying(1000) NOT NULL,
    publisher character varying(200) NOT NULL,
    published_on character varying(10) NOT NULL,
    read_on date,
    licence character varying(200) NOT NULL,
    restricted boolean NOT NULL,
    notes text NOT NULL,
    pgh_context_id uuid,
    pgh_obj_id bigint NOT NULL
);


--
-- Name: catalog_sourceevent_pgh_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_sourceevent ALTER COLUMN pgh_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_sourceevent_pgh_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_system; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_system (
    id bigint NOT NULL,
    slug character varying(160) NOT NULL,
    name character varying(300) NOT NULL,
    accelerator_count integer NOT NULL,
    form character varying(10) NOT NULL,
    status character varying(20) NOT NULL,
    fabric character varying(200) NOT NULL,
    scale_up_gbs double precision,
    scale_up_domain integer,
    scale_out_gbs double precision,
    total_memory_gb double precision,
    host_cpu character varying(200) NOT NULL,
    host_memory_gb double precision,
    power_kw double precision,
    notes text NOT NULL,
    version integer NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    accelerator_id bigint NOT NULL,
    offer_id bigint,
    vendor_id bigint NOT NULL,
    CONSTRAINT catalog_system_accelerator_count_check CHECK ((accelerator_count >= 0)),
    CONSTRAINT catalog_system_accelerator_count_positive CHECK (((accelerator_count IS NULL) OR (accelerator_count > 0))),
    CONSTRAINT catalog_system_host_memory_gb_not_negative CHECK (((host_memory_gb IS NULL) OR ((host_memory_gb >= (0.0)::double precision) AND (host_memory_gb < (1000000000000000.0)::double precision)))),
    CONSTRAINT catalog_system_power_kw_positive CHECK (((power_kw IS NULL) OR ((power_kw > (0.0)::double precision) AND (power_kw < (1000000000000000.0)::double precision)))),
    CONSTRAINT catalog_system_scale_out_gbs_not_negative CHECK (((scale_out_gbs IS NULL) OR ((scale_out_gbs >= (0.0)::double precision) AND (scale_out_gbs < (1000000000000000.0)::double precision)))),
    CONSTRAINT catalog_system_scale_up_domain_check CHECK ((scale_up_domain >= 0)),
    CONSTRAINT catalog_system_scale_up_domain_positive CHECK (((scale_up_domain IS NULL) OR (scale_up_domain > 0))),
    CONSTRAINT catalog_system_scale_up_gbs_positive CHECK (((scale_up_gbs IS NULL) OR ((scale_up_gbs > (0.0)::double precision) AND (scale_up_gbs < (1000000000000000.0)::double precision)))),
    CONSTRAINT catalog_system_total_memory_gb_positive CHECK (((total_memory_gb IS NULL) OR ((total_memory_gb > (0.0)::double precision) AND (total_memory_gb < (1000000000000000.0)::double precision)))),
    CONSTRAINT catalog_system_version_check CHECK ((version >= 0))
);


--
-- Name: catalog_system_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_system ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_system_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_systemevent; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_systemevent (
    pgh_id integer NOT NULL,
    pgh_created_at timestamp with time zone NOT NULL,
    pgh_label text NOT NULL,
    id bigint NOT NULL,
    slug character varying(160) NOT NULL,
    name character varying(300) NOT NULL,
    accelerator_count integer NOT NULL,
    form character varying(10) NOT NULL,
    status character varying(20) NOT NULL,
    fabric character varying(200) NOT NULL,
    scale_up_gbs double precision,
    scale_up_domain integer,
    scale_out_gbs double precision,
    total_memory_gb double precision,
    host_cpu character varying(200) NOT NULL,
    host_memory_gb double precision,
    power_kw double precision,
    notes text NOT NULL,
    version integer NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    accelerator_id bigint NOT NULL,
    offer_id bigint,
    pgh_context_id uuid,
    pgh_obj_id bigint NOT NULL,
    vendor_id bigint NOT NULL,
    CONSTRAINT catalog_systemevent_accelerator_count_check CHECK ((accelerator_count >= 0)),
    CONSTRAINT catalog_systemevent_scale_up_domain_check CHECK ((scale_up_domain >= 0)),
    CONSTRAINT catalog_systemevent_version_check CHECK ((version >= 0))
);


--
-- Name: catalog_systemevent_pgh_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_systemevent ALTER COLUMN pgh_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_systemevent_pgh_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_tokenprice; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_tokenprice (
    id bigint NOT NULL,
    key character varying(64) NOT NULL,
    model_name character varying(200) NOT NULL,
    open_weight boolean,
    input_usd_per_mtok numeric(14,6),
    output_usd_per_mtok numeric(14,6),
    cached_input_usd_per_mtok numeric(14,6),
    currency character varying(3) NOT NULL,
    observed_on character varying(10) NOT NULL,
    effective_from date,
    suspect character varying(200) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    language_model_id bigint,
    provider_id bigint NOT NULL,
    source_id bigint NOT NULL,
    CONSTRAINT catalog_tokenprice_cached_input_usd_per_mtok_not_negative CHECK (((cached_input_usd_per_mtok IS NULL) OR ((cached_input_usd_per_mtok >= (0)::numeric) AND (cached_input_usd_per_mtok < ('1000000000000000'::bigint)::numeric)))),
    CONSTRAINT catalog_tokenprice_input_usd_per_mtok_not_negative CHECK (((input_usd_per_mtok IS NULL) OR ((input_usd_per_mtok >= (0)::numeric) AND (input_usd_per_mtok < ('1000000000000000'::bigint)::numeric)))),
    CONSTRAINT catalog_tokenprice_output_usd_per_mtok_not_negative CHECK (((output_usd_per_mtok IS NULL) OR ((output_usd_per_mtok >= (0)::numeric) AND (output_usd_per_mtok < ('1000000000000000'::bigint)::numeric))))
);


--
-- Name: catalog_tokenprice_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_tokenprice ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_tokenprice_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_vendor; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_vendor (
    id bigint NOT NULL,
    slug character varying(100) NOT NULL,
    name character varying(200) NOT NULL,
    website character varying(200) NOT NULL,
    makes_hardware boolean NOT NULL,
    publishes_models boolean NOT NULL,
    version integer NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT catalog_vendor_version_check CHECK ((version >= 0))
);


--
-- Name: catalog_vendor_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_vendor ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_vendor_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_vendorevent; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_vendorevent (
    pgh_id integer NOT NULL,
    pgh_created_at timestamp with time zone NOT NULL,
    pgh_label text NOT NULL,
    id bigint NOT NULL,
    slug character varying(100) NOT NULL,
    name character varying(200) NOT NULL,
    website character varying(200) NOT NULL,
    makes_hardware boolean NOT NULL,
    publishes_models boolean NOT NULL,
    version integer NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    pgh_context_id uuid,
    pgh_obj_id bigint NOT NULL,
    CONSTRAINT catalog_vendorevent_version_check CHECK ((version >= 0))
);


--
-- Name: catalog_vendorevent_pgh_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_vendorevent ALTER COLUMN pgh_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_vendorevent_pgh_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_workload; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_workload (
    id bigint NOT NULL,
    slug character varying(80) NOT NULL,
    name character varying(120) NOT NULL,
    isl integer NOT NULL,
    osl integer NOT NULL,
    ttft_limit_ms double precision,
    tpot_limit_ms double precision,
    percentile smallint NOT NULL,
    prefix_share double precision NOT NULL,
    edge_only boolean NOT NULL,
    reason text NOT NULL,
    "position" smallint NOT NULL,
    version integer NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT catalog_workload_isl_check CHECK ((isl >= 0)),
    CONSTRAINT catalog_workload_isl_positive CHECK (((isl IS NULL) OR (isl > 0))),
    CONSTRAINT catalog_workload_osl_check CHECK ((osl >= 0)),
    CONSTRAINT catalog_workload_osl_positive CHECK (((osl IS NULL) OR (osl > 0))),
    CONSTRAINT catalog_workload_percentile_check CHECK ((percentile >= 0)),
    CONSTRAINT catalog_workload_percentile_range CHECK (((percentile >= 1) AND (percentile <= 99))),
    CONSTRAINT catalog_workload_position_check CHECK (("position" >= 0)),
    CONSTRAINT catalog_workload_prefix_share_share CHECK (((prefix_share IS NULL) OR ((prefix_share >= (0.0)::double precision) AND (prefix_share <= (1.0)::double precision)))),
    CONSTRAINT catalog_workload_tpot_limit_ms_positive CHECK (((tpot_limit_ms IS NULL) OR ((tpot_limit_ms > (0.0)::double precision) AND (tpot_limit_ms < (1000000000000000.0)::double precision)))),
    CONSTRAINT catalog_workload_ttft_limit_ms_positive CHECK (((ttft_limit_ms IS NULL) OR ((ttft_limit_ms > (0.0)::double precision) AND (ttft_limit_ms < (1000000000000000.0)::double precision)))),
    CONSTRAINT catalog_workload_version_check CHECK ((version >= 0))
);


--
-- Name: catalog_workload_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_workload ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_workload_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: catalog_workloadevent; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalog_workloadevent (
    pgh_id integer NOT NULL,
    pgh_created_at timestamp with time zone NOT NULL,
    pgh_label text NOT NULL,
    id bigint NOT NULL,
    slug character varying(80) NOT NULL,
    name character varying(120) NOT NULL,
    isl integer NOT NULL,
    osl integer NOT NULL,
    ttft_limit_ms double precision,
    tpot_limit_ms double precision,
    percentile smallint NOT NULL,
    prefix_share double precision NOT NULL,
    edge_only boolean NOT NULL,
    reason text NOT NULL,
    "position" smallint NOT NULL,
    version integer NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    pgh_context_id uuid,
    pgh_obj_id bigint NOT NULL,
    CONSTRAINT catalog_workloadevent_isl_check CHECK ((isl >= 0)),
    CONSTRAINT catalog_workloadevent_osl_check CHECK ((osl >= 0)),
    CONSTRAINT catalog_workloadevent_percentile_check CHECK ((percentile >= 0)),
    CONSTRAINT catalog_workloadevent_position_check CHECK (("position" >= 0)),
    CONSTRAINT catalog_workloadevent_version_check CHECK ((version >= 0))
);


--
-- Name: catalog_workloadevent_pgh_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.catalog_workloadevent ALTER COLUMN pgh_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.catalog_workloadevent_pgh_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: django_admin_log; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.django_admin_log (
    id integer NOT NULL,
    action_time timestamp with time zone NOT NULL,
    object_id text,
    object_repr character varying(200) NOT NULL,
    action_flag smallint NOT NULL,
    change_message text NOT NULL,
    content_type_id integer,
    user_id integer NOT NULL,
    CONSTRAINT django_admin_log_action_flag_check CHECK ((action_flag >= 0))
);


--
-- Name: django_admin_log_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.django_admin_log ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.django_admin_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: django_content_type; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.django_content_type (
    id integer NOT NULL,
    app_label character varying(100) NOT NULL,
    model character varying(100) NOT NULL
);


--
-- Name: django_content_type_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.django_content_type ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.django_content_type_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: django_migrations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.django_migrations (
    id bigint NOT NULL,
    app character varying(255) NOT NULL,
    name character varying(255) NOT NULL,
    applied timestamp with time zone NOT NULL
);


--
-- Name: django_migrations_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.django_migrations ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.django_migrations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: django_session; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.django_session (
    session_key character varying(40) NOT NULL,
    session_data text NOT NULL,
    expire_date timestamp with time zone NOT NULL
);


--
-- Name: estimates_calculation; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.estimates_calculation (
    id bigint NOT NULL,
    state character varying(8) NOT NULL,
    model_version integer NOT NULL,
    accelerator_version integer NOT NULL,
    workloads_digest character varying(32) NOT NULL,
    method_version character varying(40) NOT NULL,
    input_digest character varying(64) NOT NULL,
    configurations bigint NOT NULL,
    calculated_at timestamp with time zone,
    attempts smallint NOT NULL,
    error text NOT NULL,
    accelerator_id bigint NOT NULL,
    language_model_id bigint NOT NULL,
    run_id bigint,
    CONSTRAINT estimates_calculation_accelerator_version_check CHECK ((accelerator_version >= 0)),
    CONSTRAINT estimates_calculation_attempts_check CHECK ((attempts >= 0)),
    CONSTRAINT estimates_calculation_model_version_check CHECK ((model_version >= 0))
);


--
-- Name: estimates_calculation_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.estimates_calculation ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.estimates_calculation_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: estimates_calculationrun; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.estimates_calculationrun (
    id bigint NOT NULL,
    scope character varying(300) NOT NULL,
    reason character varying(300) NOT NULL,
    state character varying(8) NOT NULL,
    chunks integer NOT NULL,
    chunks_done integer NOT NULL,
    configurations bigint NOT NULL,
    rows_written bigint NOT NULL,
    requested_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    error text NOT NULL,
    CONSTRAINT estimates_calculationrun_chunks_check CHECK ((chunks >= 0)),
    CONSTRAINT estimates_calculationrun_chunks_done_check CHECK ((chunks_done >= 0))
);


--
-- Name: estimates_calculationrun_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.estimates_calculationrun ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.estimates_calculationrun_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: estimates_estimate; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.estimates_estimate (
    id bigint NOT NULL,
    objective smallint NOT NULL,
    state smallint NOT NULL,
    reason character varying(200) NOT NULL,
    weight_format character varying(20) NOT NULL,
    kv_format character varying(10) NOT NULL,
    tp smallint,
    pp smallint,
    ep smallint,
    dp smallint,
    replicas integer,
    concurrency integer,
    tpot_ms real,
    tpot_low_ms real,
    tpot_high_ms real,
    ttft_ms real,
    ttft_low_ms real,
    ttft_high_ms real,
    ttft_unloaded_ms real,
    throughput_tok_s real,
    throughput_low_tok_s real,
    throughput_high_tok_s real,
    tok_s_per_user real,
    memory_used_gb real,
    memory_usable_gb real,
    shortfall_gb real,
    binding_limit smallint,
    grade character varying(1) NOT NULL,
    meets_service_level boolean NOT NULL,
    calculation_id bigint NOT NULL,
    language_model_id bigint NOT NULL,
    offer_id bigint NOT NULL,
    workload_id bigint NOT NULL,
    CONSTRAINT estimates_estimate_binding_limit_check CHECK ((binding_limit >= 0)),
    CONSTRAINT estimates_estimate_concurrency_check CHECK ((concurrency >= 0)),
    CONSTRAINT estimates_estimate_dp_check CHECK ((dp >= 0)),
    CONSTRAINT estimates_estimate_ep_check CHECK ((ep >= 0)),
    CONSTRAINT estimates_estimate_objective_check CHECK ((objective >= 0)),
    CONSTRAINT estimates_estimate_pp_check CHECK ((pp >= 0)),
    CONSTRAINT estimates_estimate_replicas_check CHECK ((replicas >= 0)),
    CONSTRAINT estimates_estimate_state_check CHECK ((state >= 0)),
    CONSTRAINT estimates_estimate_tp_check CHECK ((tp >= 0))
);


--
-- Name: estimates_estimate_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.estimates_estimate ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.estimates_estimate_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: pghistory_context; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.pghistory_context (
    id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    metadata jsonb NOT NULL
);


--
-- Name: access_accesstoken access_accesstoken_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.access_accesstoken
    ADD CONSTRAINT access_accesstoken_pkey PRIMARY KEY (id);


--
-- Name: access_accesstoken access_accesstoken_prefix_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.access_accesstoken
    ADD CONSTRAINT access_accesstoken_prefix_key UNIQUE (prefix);


--
-- Name: auth_group auth_group_name_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_group
    ADD CONSTRAINT auth_group_name_key UNIQUE (name);


--
-- Name: auth_group_permissions auth_group_permissions_group_id_permission_id_0cd325b0_uniq; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissions_group_id_permission_id_0cd325b0_uniq UNIQUE (group_id, permission_id);


--
-- Name: auth_group_permissions auth_group_permissions_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissions_pkey PRIMARY KEY (id);


--
-- Name: auth_group auth_group_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_group
    ADD CONSTRAINT auth_group_pkey PRIMARY KEY (id);


--
-- Name: auth_permission auth_permission_content_type_id_codename_01ab375a_uniq; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_permission
    ADD CONSTRAINT auth_permission_content_type_id_codename_01ab375a_uniq UNIQUE (content_type_id, codename);


--
-- Name: auth_permission auth_permission_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_permission
    ADD CONSTRAINT auth_permission_pkey PRIMARY KEY (id);


--
-- Name: auth_user_groups auth_user_groups_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_user_groups
    ADD CONSTRAINT auth_user_groups_pkey PRIMARY KEY (id);


--
-- Name: auth_user_groups auth_user_groups_user_id_group_id_94350c0c_uniq; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_user_groups
    ADD CONSTRAINT auth_user_groups_user_id_group_id_94350c0c_uniq UNIQUE (user_id, group_id);


--
-- Name: auth_user auth_user_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_user
    ADD CONSTRAINT auth_user_pkey PRIMARY KEY (id);


--
-- Name: auth_user_user_permissions auth_user_user_permissions_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_user_user_permissions
    ADD CONSTRAINT auth_user_user_permissions_pkey PRIMARY KEY (id);


--
-- Name: auth_user_user_permissions auth_user_user_permissions_user_id_permission_id_14a6b632_uniq; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_user_user_permissions
    ADD CONSTRAINT auth_user_user_permissions_user_id_permission_id_14a6b632_uniq UNIQUE (user_id, permission_id);


--
-- Name: auth_user auth_user_username_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_user
    ADD CONSTRAINT auth_user_username_key UNIQUE (username);


--
-- Name: catalog_accelerator catalog_accelerator_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_accelerator
    ADD CONSTRAINT catalog_accelerator_pkey PRIMARY KEY (id);


--
-- Name: catalog_accelerator catalog_accelerator_slug_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_accelerator
    ADD CONSTRAINT catalog_accelerator_slug_key UNIQUE (slug);


--
-- Name: catalog_acceleratorevent catalog_acceleratorevent_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_acceleratorevent
    ADD CONSTRAINT catalog_acceleratorevent_pkey PRIMARY KEY (pgh_id);


--
-- Name: catalog_figure catalog_figure_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_figure
    ADD CONSTRAINT catalog_figure_pkey PRIMARY KEY (id);


--
-- Name: catalog_figureevent catalog_figureevent_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_figureevent
    ADD CONSTRAINT catalog_figureevent_pkey PRIMARY KEY (pgh_id);


--
-- Name: catalog_languagemodel catalog_languagemodel_hf_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_languagemodel
    ADD CONSTRAINT catalog_languagemodel_hf_id_key UNIQUE (hf_id);


--
-- Name: catalog_languagemodel catalog_languagemodel_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_languagemodel
    ADD CONSTRAINT catalog_languagemodel_pkey PRIMARY KEY (id);


--
-- Name: catalog_languagemodel catalog_languagemodel_slug_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_languagemodel
    ADD CONSTRAINT catalog_languagemodel_slug_key UNIQUE (slug);


--
-- Name: catalog_languagemodelevent catalog_languagemodelevent_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_languagemodelevent
    ADD CONSTRAINT catalog_languagemodelevent_pkey PRIMARY KEY (pgh_id);


--
-- Name: catalog_link catalog_link_natural_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_link
    ADD CONSTRAINT catalog_link_natural_key UNIQUE (accelerator_id, scope);


--
-- Name: catalog_link catalog_link_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_link
    ADD CONSTRAINT catalog_link_pkey PRIMARY KEY (id);


--
-- Name: catalog_linkevent catalog_linkevent_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_linkevent
    ADD CONSTRAINT catalog_linkevent_pkey PRIMARY KEY (pgh_id);


--
-- Name: catalog_loadedrow catalog_loadedrow_natural_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_loadedrow
    ADD CONSTRAINT catalog_loadedrow_natural_key UNIQUE (kind, key);


--
-- Name: catalog_loadedrow catalog_loadedrow_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_loadedrow
    ADD CONSTRAINT catalog_loadedrow_pkey PRIMARY KEY (id);


--
-- Name: catalog_measuredvalue catalog_measuredvalue_natural_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_measuredvalue
    ADD CONSTRAINT catalog_measuredvalue_natural_key UNIQUE (run_id, metric);


--
-- Name: catalog_measuredvalue catalog_measuredvalue_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_measuredvalue
    ADD CONSTRAINT catalog_measuredvalue_pkey PRIMARY KEY (id);


--
-- Name: catalog_measurementrun catalog_measurementrun_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_measurementrun
    ADD CONSTRAINT catalog_measurementrun_pkey PRIMARY KEY (id);


--
-- Name: catalog_measurementrun catalog_measurementrun_run_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_measurementrun
    ADD CONSTRAINT catalog_measurementrun_run_id_key UNIQUE (run_id);


--
-- Name: catalog_memorytier catalog_memorytier_natural_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_memorytier
    ADD CONSTRAINT catalog_memorytier_natural_key UNIQUE (accelerator_id, role);


--
-- Name: catalog_memorytier catalog_memorytier_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_memorytier
    ADD CONSTRAINT catalog_memorytier_pkey PRIMARY KEY (id);


--
-- Name: catalog_memorytierevent catalog_memorytierevent_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_memorytierevent
    ADD CONSTRAINT catalog_memorytierevent_pkey PRIMARY KEY (pgh_id);


--
-- Name: catalog_modelalias catalog_modelalias_name_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_modelalias
    ADD CONSTRAINT catalog_modelalias_name_key UNIQUE (name);


--
-- Name: catalog_modelalias catalog_modelalias_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_modelalias
    ADD CONSTRAINT catalog_modelalias_pkey PRIMARY KEY (id);


--
-- Name: catalog_offer catalog_offer_natural_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_offer
    ADD CONSTRAINT catalog_offer_natural_key UNIQUE NULLS NOT DISTINCT (accelerator_id, count, scale_up_gbs, scale_up_domain);


--
-- Name: catalog_offer catalog_offer_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_offer
    ADD CONSTRAINT catalog_offer_pkey PRIMARY KEY (id);


--
-- Name: catalog_offer catalog_offer_slug_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_offer
    ADD CONSTRAINT catalog_offer_slug_key UNIQUE (slug);


--
-- Name: catalog_peakrate catalog_peakrate_natural_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_peakrate
    ADD CONSTRAINT catalog_peakrate_natural_key UNIQUE (accelerator_id, number_format);


--
-- Name: catalog_peakrate catalog_peakrate_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_peakrate
    ADD CONSTRAINT catalog_peakrate_pkey PRIMARY KEY (id);


--
-- Name: catalog_peakrateevent catalog_peakrateevent_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_peakrateevent
    ADD CONSTRAINT catalog_peakrateevent_pkey PRIMARY KEY (pgh_id);


--
-- Name: catalog_pricequote catalog_pricequote_key_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_pricequote
    ADD CONSTRAINT catalog_pricequote_key_key UNIQUE (key);


--
-- Name: catalog_pricequote catalog_pricequote_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_pricequote
    ADD CONSTRAINT catalog_pricequote_pkey PRIMARY KEY (id);


--
-- Name: catalog_provider catalog_provider_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_provider
    ADD CONSTRAINT catalog_provider_pkey PRIMARY KEY (id);


--
-- Name: catalog_provider catalog_provider_slug_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_provider
    ADD CONSTRAINT catalog_provider_slug_key UNIQUE (slug);


--
-- Name: catalog_providerevent catalog_providerevent_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_providerevent
    ADD CONSTRAINT catalog_providerevent_pkey PRIMARY KEY (pgh_id);


--
-- Name: catalog_publishedclaim_further_sources catalog_publishedclaim_f_publishedclaim_id_source_ada7da88_uniq; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_publishedclaim_further_sources
    ADD CONSTRAINT catalog_publishedclaim_f_publishedclaim_id_source_ada7da88_uniq UNIQUE (publishedclaim_id, source_id);


--
-- Name: catalog_publishedclaim_further_sources catalog_publishedclaim_further_sources_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_publishedclaim_further_sources
    ADD CONSTRAINT catalog_publishedclaim_further_sources_pkey PRIMARY KEY (id);


--
-- Name: catalog_publishedclaim catalog_publishedclaim_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_publishedclaim
    ADD CONSTRAINT catalog_publishedclaim_pkey PRIMARY KEY (id);


--
-- Name: catalog_publishedclaim catalog_publishedclaim_slug_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_publishedclaim
    ADD CONSTRAINT catalog_publishedclaim_slug_key UNIQUE (slug);


--
-- Name: catalog_publishedclaimevent catalog_publishedclaimevent_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_publishedclaimevent
    ADD CONSTRAINT catalog_publishedclaimevent_pkey PRIMARY KEY (pgh_id);


--
-- Name: catalog_purchaseprice catalog_purchaseprice_key_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_purchaseprice
    ADD CONSTRAINT catalog_purchaseprice_key_key UNIQUE (key);


--
-- Name: catalog_purchaseprice catalog_purchaseprice_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_purchaseprice
    ADD CONSTRAINT catalog_purchaseprice_pkey PRIMARY KEY (id);


--
-- Name: catalog_source catalog_source_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_source
    ADD CONSTRAINT catalog_source_pkey PRIMARY KEY (id);


--
-- Name: catalog_source catalog_source_slug_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_source
    ADD CONSTRAINT catalog_source_slug_key UNIQUE (slug);


--
-- Name: catalog_sourceevent catalog_sourceevent_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_sourceevent
    ADD CONSTRAINT catalog_sourceevent_pkey PRIMARY KEY (pgh_id);


--
-- Name: catalog_system catalog_system_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_system
    ADD CONSTRAINT catalog_system_pkey PRIMARY KEY (id);


--
-- Name: catalog_system catalog_system_slug_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_system
    ADD CONSTRAINT catalog_system_slug_key UNIQUE (slug);


--
-- Name: catalog_systemevent catalog_systemevent_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_systemevent
    ADD CONSTRAINT catalog_systemevent_pkey PRIMARY KEY (pgh_id);


--
-- Name: catalog_tokenprice catalog_tokenprice_key_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_tokenprice
    ADD CONSTRAINT catalog_tokenprice_key_key UNIQUE (key);


--
-- Name: catalog_tokenprice catalog_tokenprice_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_tokenprice
    ADD CONSTRAINT catalog_tokenprice_pkey PRIMARY KEY (id);


--
-- Name: catalog_vendor catalog_vendor_name_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_vendor
    ADD CONSTRAINT catalog_vendor_name_key UNIQUE (name);


--
-- Name: catalog_vendor catalog_vendor_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_vendor
    ADD CONSTRAINT catalog_vendor_pkey PRIMARY KEY (id);


--
-- Name: catalog_vendor catalog_vendor_slug_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_vendor
    ADD CONSTRAINT catalog_vendor_slug_key UNIQUE (slug);


--
-- Name: catalog_vendorevent catalog_vendorevent_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_vendorevent
    ADD CONSTRAINT catalog_vendorevent_pkey PRIMARY KEY (pgh_id);


--
-- Name: catalog_workload catalog_workload_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_workload
    ADD CONSTRAINT catalog_workload_pkey PRIMARY KEY (id);


--
-- Name: catalog_workload catalog_workload_slug_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_workload
    ADD CONSTRAINT catalog_workload_slug_key UNIQUE (slug);


--
-- Name: catalog_workloadevent catalog_workloadevent_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_workloadevent
    ADD CONSTRAINT catalog_workloadevent_pkey PRIMARY KEY (pgh_id);


--
-- Name: django_admin_log django_admin_log_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.django_admin_log
    ADD CONSTRAINT django_admin_log_pkey PRIMARY KEY (id);


--
-- Name: django_content_type django_content_type_app_label_model_76bd3d3b_uniq; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.django_content_type
    ADD CONSTRAINT django_content_type_app_label_model_76bd3d3b_uniq UNIQUE (app_label, model);


--
-- Name: django_content_type django_content_type_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.django_content_type
    ADD CONSTRAINT django_content_type_pkey PRIMARY KEY (id);


--
-- Name: django_migrations django_migrations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.django_migrations
    ADD CONSTRAINT django_migrations_pkey PRIMARY KEY (id);


--
-- Name: django_session django_session_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.django_session
    ADD CONSTRAINT django_session_pkey PRIMARY KEY (session_key);


--
-- Name: estimates_calculation estimates_calculation_natural_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.estimates_calculation
    ADD CONSTRAINT estimates_calculation_natural_key UNIQUE (language_model_id, accelerator_id);


--
-- Name: estimates_calculation estimates_calculation_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.estimates_calculation
    ADD CONSTRAINT estimates_calculation_pkey PRIMARY KEY (id);


--
-- Name: estimates_calculationrun estimates_calculationrun_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.estimates_calculationrun
    ADD CONSTRAINT estimates_calculationrun_pkey PRIMARY KEY (id);


--
-- Name: estimates_estimate estimates_estimate_natural_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.estimates_estimate
    ADD CONSTRAINT estimates_estimate_natural_key UNIQUE (language_model_id, workload_id, objective, offer_id);


--
-- Name: estimates_estimate estimates_estimate_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.estimates_estimate
    ADD CONSTRAINT estimates_estimate_pkey PRIMARY KEY (id);


--
-- Name: pghistory_context pghistory_context_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.pghistory_context
    ADD CONSTRAINT pghistory_context_pkey PRIMARY KEY (id);


--
-- Name: access_accesstoken_owner_id_059bd825; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX access_accesstoken_owner_id_059bd825 ON public.access_accesstoken USING btree (owner_id);


--
-- Name: access_accesstoken_prefix_606b6647_like; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX access_accesstoken_prefix_606b6647_like ON public.access_accesstoken USING btree (prefix varchar_pattern_ops);


--
-- Name: auth_group_name_a6ea08ec_like; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX auth_group_name_a6ea08ec_like ON public.auth_group USING btree (name varchar_pattern_ops);


--
-- Name: auth_group_permissions_group_id_b120cbf9; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX auth_group_permissions_group_id_b120cbf9 ON public.auth_group_permissions USING btree (group_id);


--
-- Name: auth_group_permissions_permission_id_84c5c92e; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX auth_group_permissions_permission_id_84c5c92e ON public.auth_group_permissions USING btree (permission_id);


--
-- Name: auth_permission_content_type_id_2f476e4b; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX auth_permission_content_type_id_2f476e4b ON public.auth_permission USING btree (content_type_id);


--
-- Name: auth_user_groups_group_id_97559544; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX auth_user_groups_group_id_97559544 ON public.auth_user_groups USING btree (group_id);


--
-- Name: auth_user_groups_user_id_6a12ed8b; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX auth_user_groups_user_id_6a12ed8b ON public.auth_user_groups USING btree (user_id);


--
-- Name: auth_user_user_permissions_permission_id_1fbb5f2c; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX auth_user_user_permissions_permission_id_1fbb5f2c ON public.auth_user_user_permissions USING btree (permission_id);


--
-- Name: auth_user_user_permissions_user_id_a95ead1b; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX auth_user_user_permissions_user_id_a95ead1b ON public.auth_user_user_permissions USING btree (user_id);


--
-- Name: auth_user_username_6821ab7c_like; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX auth_user_username_6821ab7c_like ON public.auth_user USING btree (username varchar_pattern_ops);


--
-- Name: catalog_accelerator_slug_206b68e8_like; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_accelerator_slug_206b68e8_like ON public.catalog_accelerator USING btree (slug varchar_pattern_ops);


--
-- Name: catalog_accelerator_vendor_id_fb2a3611; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_accelerator_vendor_id_fb2a3611 ON public.catalog_accelerator USING btree (vendor_id);


--
-- Name: catalog_acceleratorevent_pgh_context_id_bd386680; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_acceleratorevent_pgh_context_id_bd386680 ON public.catalog_acceleratorevent USING btree (pgh_context_id);


--
-- Name: catalog_acceleratorevent_pgh_obj_id_fcc53d51; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_acceleratorevent_pgh_obj_id_fcc53d51 ON public.catalog_acceleratorevent USING btree (pgh_obj_id);


--
-- Name: catalog_acceleratorevent_vendor_id_be403834; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_acceleratorevent_vendor_id_be403834 ON public.catalog_acceleratorevent USING btree (vendor_id);


--
-- Name: catalog_fig_acceler_27fe58_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_fig_acceler_27fe58_idx ON public.catalog_figure USING btree (accelerator_id, quantity);


--
-- Name: catalog_fig_system__80de98_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_fig_system__80de98_idx ON public.catalog_figure USING btree (system_id, quantity);


--
-- Name: catalog_figure_accelerator_id_34d9d07b; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_figure_accelerator_id_34d9d07b ON public.catalog_figure USING btree (accelerator_id);


--
-- Name: catalog_figure_language_model_id_471dd286; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_figure_language_model_id_471dd286 ON public.catalog_figure USING btree (language_model_id);


--
-- Name: catalog_figure_one_accepted_accelerator; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX catalog_figure_one_accepted_accelerator ON public.catalog_figure USING btree (accelerator_id, quantity) WHERE accepted;


--
-- Name: catalog_figure_one_accepted_language_model; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX catalog_figure_one_accepted_language_model ON public.catalog_figure USING btree (language_model_id, quantity) WHERE accepted;


--
-- Name: catalog_figure_one_accepted_system; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX catalog_figure_one_accepted_system ON public.catalog_figure USING btree (system_id, quantity) WHERE accepted;


--
-- Name: catalog_figure_one_accepted_workload; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX catalog_figure_one_accepted_workload ON public.catalog_figure USING btree (workload_id, quantity) WHERE accepted;


--
-- Name: catalog_figure_source_id_bf017f43; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_figure_source_id_bf017f43 ON public.catalog_figure USING btree (source_id);


--
-- Name: catalog_figure_system_id_9288386c; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_figure_system_id_9288386c ON public.catalog_figure USING btree (system_id);


--
-- Name: catalog_figure_workload_id_376cfdc7; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_figure_workload_id_376cfdc7 ON public.catalog_figure USING btree (workload_id);


--
-- Name: catalog_figureevent_accelerator_id_fdd3f8e4; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_figureevent_accelerator_id_fdd3f8e4 ON public.catalog_figureevent USING btree (accelerator_id);


--
-- Name: catalog_figureevent_language_model_id_0af774e3; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_figureevent_language_model_id_0af774e3 ON public.catalog_figureevent USING btree (language_model_id);


--
-- Name: catalog_figureevent_pgh_context_id_910cd911; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_figureevent_pgh_context_id_910cd911 ON public.catalog_figureevent USING btree (pgh_context_id);


--
-- Name: catalog_figureevent_pgh_obj_id_105eba20; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_figureevent_pgh_obj_id_105eba20 ON public.catalog_figureevent USING btree (pgh_obj_id);


--
-- Name: catalog_figureevent_source_id_58c41b2f; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_figureevent_source_id_58c41b2f ON public.catalog_figureevent USING btree (source_id);


--
-- Name: catalog_figureevent_system_id_ccdb345a; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_figureevent_system_id_ccdb345a ON public.catalog_figureevent USING btree (system_id);


--
-- Name: catalog_figureevent_workload_id_0971febb; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_figureevent_workload_id_0971febb ON public.catalog_figureevent USING btree (workload_id);


--
-- Name: catalog_languagemodel_hf_id_99498749_like; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_languagemodel_hf_id_99498749_like ON public.catalog_languagemodel USING btree (hf_id varchar_pattern_ops);


--
-- Name: catalog_languagemodel_publisher_id_4f88bd1b; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_languagemodel_publisher_id_4f88bd1b ON public.catalog_languagemodel USING btree (publisher_id);


--
-- Name: catalog_languagemodel_slug_5bef7966_like; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_languagemodel_slug_5bef7966_like ON public.catalog_languagemodel USING btree (slug varchar_pattern_ops);


--
-- Name: catalog_languagemodelevent_pgh_context_id_6bedcf36; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_languagemodelevent_pgh_context_id_6bedcf36 ON public.catalog_languagemodelevent USING btree (pgh_context_id);


--
-- Name: catalog_languagemodelevent_pgh_obj_id_762ffbbe; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_languagemodelevent_pgh_obj_id_762ffbbe ON public.catalog_languagemodelevent USING btree (pgh_obj_id);


--
-- Name: catalog_languagemodelevent_publisher_id_79cb8305; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_languagemodelevent_publisher_id_79cb8305 ON public.catalog_languagemodelevent USING btree (publisher_id);


--
-- Name: catalog_link_accelerator_id_353caa5f; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_link_accelerator_id_353caa5f ON public.catalog_link USING btree (accelerator_id);


--
-- Name: catalog_linkevent_accelerator_id_30e16412; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_linkevent_accelerator_id_30e16412 ON public.catalog_linkevent USING btree (accelerator_id);


--
-- Name: catalog_linkevent_pgh_context_id_6bd477a9; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_linkevent_pgh_context_id_6bd477a9 ON public.catalog_linkevent USING btree (pgh_context_id);


--
-- Name: catalog_linkevent_pgh_obj_id_c4e7647e; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_linkevent_pgh_obj_id_c4e7647e ON public.catalog_linkevent USING btree (pgh_obj_id);


--
-- Name: catalog_measuredvalue_run_id_cab8d0ba; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_measuredvalue_run_id_cab8d0ba ON public.catalog_measuredvalue USING btree (run_id);


--
-- Name: catalog_measurementrun_accelerator_id_4508d760; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_measurementrun_accelerator_id_4508d760 ON public.catalog_measurementrun USING btree (accelerator_id);


--
-- Name: catalog_measurementrun_language_model_id_6f785475; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_measurementrun_language_model_id_6f785475 ON public.catalog_measurementrun USING btree (language_model_id);


--
-- Name: catalog_measurementrun_run_id_86b5b515_like; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_measurementrun_run_id_86b5b515_like ON public.catalog_measurementrun USING btree (run_id varchar_pattern_ops);


--
-- Name: catalog_measurementrun_source_id_d8759ee7; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_measurementrun_source_id_d8759ee7 ON public.catalog_measurementrun USING btree (source_id);


--
-- Name: catalog_memorytier_accelerator_id_8bac1f4f; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_memorytier_accelerator_id_8bac1f4f ON public.catalog_memorytier USING btree (accelerator_id);


--
-- Name: catalog_memorytierevent_accelerator_id_ac9b78a2; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_memorytierevent_accelerator_id_ac9b78a2 ON public.catalog_memorytierevent USING btree (accelerator_id);


--
-- Name: catalog_memorytierevent_pgh_context_id_d0c6b47d; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_memorytierevent_pgh_context_id_d0c6b47d ON public.catalog_memorytierevent USING btree (pgh_context_id);


--
-- Name: catalog_memorytierevent_pgh_obj_id_d43c0872; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_memorytierevent_pgh_obj_id_d43c0872 ON public.catalog_memorytierevent USING btree (pgh_obj_id);


--
-- Name: catalog_modelalias_language_model_id_d7979edd; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_modelalias_language_model_id_d7979edd ON public.catalog_modelalias USING btree (language_model_id);


--
-- Name: catalog_modelalias_name_2ca6d305_like; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_modelalias_name_2ca6d305_like ON public.catalog_modelalias USING btree (name varchar_pattern_ops);


--
-- Name: catalog_offer_accelerator_id_53eaa098; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_offer_accelerator_id_53eaa098 ON public.catalog_offer USING btree (accelerator_id);


--
-- Name: catalog_offer_slug_04c9ee67_like; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_offer_slug_04c9ee67_like ON public.catalog_offer USING btree (slug varchar_pattern_ops);


--
-- Name: catalog_peakrate_accelerator_id_5a4dd5f4; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_peakrate_accelerator_id_5a4dd5f4 ON public.catalog_peakrate USING btree (accelerator_id);


--
-- Name: catalog_peakrateevent_accelerator_id_2c667907; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_peakrateevent_accelerator_id_2c667907 ON public.catalog_peakrateevent USING btree (accelerator_id);


--
-- Name: catalog_peakrateevent_pgh_context_id_1f329c11; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_peakrateevent_pgh_context_id_1f329c11 ON public.catalog_peakrateevent USING btree (pgh_context_id);


--
-- Name: catalog_peakrateevent_pgh_obj_id_764e9719; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_peakrateevent_pgh_obj_id_764e9719 ON public.catalog_peakrateevent USING btree (pgh_obj_id);


--
-- Name: catalog_pri_acceler_1c8686_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_pri_acceler_1c8686_idx ON public.catalog_pricequote USING btree (accelerator_id, accelerator_count, pricing_model);


--
-- Name: catalog_pri_provide_b17007_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_pri_provide_b17007_idx ON public.catalog_pricequote USING btree (provider_id, offering, region, observed_on DESC);


--
-- Name: catalog_pricequote_accelerator_id_cbcf2283; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_pricequote_accelerator_id_cbcf2283 ON public.catalog_pricequote USING btree (accelerator_id);


--
-- Name: catalog_pricequote_key_2730ecbc_like; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_pricequote_key_2730ecbc_like ON public.catalog_pricequote USING btree (key varchar_pattern_ops);


--
-- Name: catalog_pricequote_provider_id_fe43eec7; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_pricequote_provider_id_fe43eec7 ON public.catalog_pricequote USING btree (provider_id);


--
-- Name: catalog_pricequote_source_id_9d473ddd; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_pricequote_source_id_9d473ddd ON public.catalog_pricequote USING btree (source_id);


--
-- Name: catalog_provider_slug_f6837fe6_like; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_provider_slug_f6837fe6_like ON public.catalog_provider USING btree (slug varchar_pattern_ops);


--
-- Name: catalog_providerevent_pgh_context_id_17cf3e5a; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_providerevent_pgh_context_id_17cf3e5a ON public.catalog_providerevent USING btree (pgh_context_id);


--
-- Name: catalog_providerevent_pgh_obj_id_e6c9e169; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_providerevent_pgh_obj_id_e6c9e169 ON public.catalog_providerevent USING btree (pgh_obj_id);


--
-- Name: catalog_publishedclaim_accelerator_id_44fcd42d; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_publishedclaim_accelerator_id_44fcd42d ON public.catalog_publishedclaim USING btree (accelerator_id);


--
-- Name: catalog_publishedclaim_fur_publishedclaim_id_ffa9f153; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_publishedclaim_fur_publishedclaim_id_ffa9f153 ON public.catalog_publishedclaim_further_sources USING btree (publishedclaim_id);


--
-- Name: catalog_publishedclaim_further_sources_source_id_6d228921; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_publishedclaim_further_sources_source_id_6d228921 ON public.catalog_publishedclaim_further_sources USING btree (source_id);


--
-- Name: catalog_publishedclaim_language_model_id_e4dd5d3b; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_publishedclaim_language_model_id_e4dd5d3b ON public.catalog_publishedclaim USING btree (language_model_id);


--
-- Name: catalog_publishedclaim_slug_d69fab89_like; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_publishedclaim_slug_d69fab89_like ON public.catalog_publishedclaim USING btree (slug varchar_pattern_ops);


--
-- Name: catalog_publishedclaim_source_id_2d8005b7; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_publishedclaim_source_id_2d8005b7 ON public.catalog_publishedclaim USING btree (source_id);


--
-- Name: catalog_publishedclaim_system_id_931bc2cd; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_publishedclaim_system_id_931bc2cd ON public.catalog_publishedclaim USING btree (system_id);


--
-- Name: catalog_publishedclaimevent_accelerator_id_b56f8009; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_publishedclaimevent_accelerator_id_b56f8009 ON public.catalog_publishedclaimevent USING btree (accelerator_id);


--
-- Name: catalog_publishedclaimevent_language_model_id_fb57b81e; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_publishedclaimevent_language_model_id_fb57b81e ON public.catalog_publishedclaimevent USING btree (language_model_id);


--
-- Name: catalog_publishedclaimevent_pgh_context_id_454b0077; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_publishedclaimevent_pgh_context_id_454b0077 ON public.catalog_publishedclaimevent USING btree (pgh_context_id);


--
-- Name: catalog_publishedclaimevent_pgh_obj_id_fa47572f; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_publishedclaimevent_pgh_obj_id_fa47572f ON public.catalog_publishedclaimevent USING btree (pgh_obj_id);


--
-- Name: catalog_publishedclaimevent_source_id_777dca48; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_publishedclaimevent_source_id_777dca48 ON public.catalog_publishedclaimevent USING btree (source_id);


--
-- Name: catalog_publishedclaimevent_system_id_dec537b8; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_publishedclaimevent_system_id_dec537b8 ON public.catalog_publishedclaimevent USING btree (system_id);


--
-- Name: catalog_purchaseprice_accelerator_id_77562b54; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_purchaseprice_accelerator_id_77562b54 ON public.catalog_purchaseprice USING btree (accelerator_id);


--
-- Name: catalog_purchaseprice_key_780dc182_like; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_purchaseprice_key_780dc182_like ON public.catalog_purchaseprice USING btree (key varchar_pattern_ops);


--
-- Name: catalog_purchaseprice_source_id_a5ef9a9f; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_purchaseprice_source_id_a5ef9a9f ON public.catalog_purchaseprice USING btree (source_id);


--
-- Name: catalog_source_slug_03a04a6e_like; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_source_slug_03a04a6e_like ON public.catalog_source USING btree (slug varchar_pattern_ops);


--
-- Name: catalog_sourceevent_pgh_context_id_5acdb9ce; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_sourceevent_pgh_context_id_5acdb9ce ON public.catalog_sourceevent USING btree (pgh_context_id);


--
-- Name: catalog_sourceevent_pgh_obj_id_eced4714; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_sourceevent_pgh_obj_id_eced4714 ON public.catalog_sourceevent USING btree (pgh_obj_id);


--
-- Name: catalog_system_accelerator_id_1327d366; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_system_accelerator_id_1327d366 ON public.catalog_system USING btree (accelerator_id);


--
-- Name: catalog_system_offer_id_b05674a0; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_system_offer_id_b05674a0 ON public.catalog_system USING btree (offer_id);


--
-- Name: catalog_system_slug_3f3bbc72_like; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_system_slug_3f3bbc72_like ON public.catalog_system USING btree (slug varchar_pattern_ops);


--
-- Name: catalog_system_vendor_id_c9408097; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_system_vendor_id_c9408097 ON public.catalog_system USING btree (vendor_id);


--
-- Name: catalog_systemevent_accelerator_id_9ede7ee3; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_systemevent_accelerator_id_9ede7ee3 ON public.catalog_systemevent USING btree (accelerator_id);


--
-- Name: catalog_systemevent_offer_id_2b3f2166; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_systemevent_offer_id_2b3f2166 ON public.catalog_systemevent USING btree (offer_id);


--
-- Name: catalog_systemevent_pgh_context_id_5735a31c; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_systemevent_pgh_context_id_5735a31c ON public.catalog_systemevent USING btree (pgh_context_id);


--
-- Name: catalog_systemevent_pgh_obj_id_32ccbd73; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_systemevent_pgh_obj_id_32ccbd73 ON public.catalog_systemevent USING btree (pgh_obj_id);


--
-- Name: catalog_systemevent_vendor_id_2c059bb6; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_systemevent_vendor_id_2c059bb6 ON public.catalog_systemevent USING btree (vendor_id);


--
-- Name: catalog_tokenprice_key_7958413c_like; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_tokenprice_key_7958413c_like ON public.catalog_tokenprice USING btree (key varchar_pattern_ops);


--
-- Name: catalog_tokenprice_language_model_id_8fab532b; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_tokenprice_language_model_id_8fab532b ON public.catalog_tokenprice USING btree (language_model_id);


--
-- Name: catalog_tokenprice_provider_id_04b99a1f; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_tokenprice_provider_id_04b99a1f ON public.catalog_tokenprice USING btree (provider_id);


--
-- Name: catalog_tokenprice_source_id_b23143b7; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_tokenprice_source_id_b23143b7 ON public.catalog_tokenprice USING btree (source_id);


--
-- Name: catalog_vendor_name_bcd1bfc1_like; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_vendor_name_bcd1bfc1_like ON public.catalog_vendor USING btree (name varchar_pattern_ops);


--
-- Name: catalog_vendor_slug_e9f95a23_like; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_vendor_slug_e9f95a23_like ON public.catalog_vendor USING btree (slug varchar_pattern_ops);


--
-- Name: catalog_vendorevent_pgh_context_id_47e2e2ae; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_vendorevent_pgh_context_id_47e2e2ae ON public.catalog_vendorevent USING btree (pgh_context_id);


--
-- Name: catalog_vendorevent_pgh_obj_id_23a9e00c; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_vendorevent_pgh_obj_id_23a9e00c ON public.catalog_vendorevent USING btree (pgh_obj_id);


--
-- Name: catalog_workload_slug_303f0108_like; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_workload_slug_303f0108_like ON public.catalog_workload USING btree (slug varchar_pattern_ops);


--
-- Name: catalog_workloadevent_pgh_context_id_84b26711; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_workloadevent_pgh_context_id_84b26711 ON public.catalog_workloadevent USING btree (pgh_context_id);


--
-- Name: catalog_workloadevent_pgh_obj_id_96fcb551; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX catalog_workloadevent_pgh_obj_id_96fcb551 ON public.catalog_workloadevent USING btree (pgh_obj_id);


--
-- Name: django_admin_log_content_type_id_c4bce8eb; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX django_admin_log_content_type_id_c4bce8eb ON public.django_admin_log USING btree (content_type_id);


--
-- Name: django_admin_log_user_id_c564eba6; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX django_admin_log_user_id_c564eba6 ON public.django_admin_log USING btree (user_id);


--
-- Name: django_session_expire_date_a5c62663; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX django_session_expire_date_a5c62663 ON public.django_session USING btree (expire_date);


--
-- Name: django_session_session_key_c0390e0f_like; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX django_session_session_key_c0390e0f_like ON public.django_session USING btree (session_key varchar_pattern_ops);


--
-- Name: estimates_c_acceler_4e6230_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX estimates_c_acceler_4e6230_idx ON public.estimates_calculation USING btree (accelerator_id);


--
-- Name: estimates_calculation_accelerator_id_8540b764; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX estimates_calculation_accelerator_id_8540b764 ON public.estimates_calculation USING btree (accelerator_id);


--
-- Name: estimates_calculation_language_model_id_5c50afdb; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX estimates_calculation_language_model_id_5c50afdb ON public.estimates_calculation USING btree (language_model_id);


--
-- Name: estimates_calculation_pending; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX estimates_calculation_pending ON public.estimates_calculation USING btree (run_id, language_model_id) WHERE (run_id IS NOT NULL);


--
-- Name: estimates_e_calcula_935295_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX estimates_e_calcula_935295_idx ON public.estimates_estimate USING btree (calculation_id);


--
-- Name: estimates_e_offer_i_c83d5f_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX estimates_e_offer_i_c83d5f_idx ON public.estimates_estimate USING btree (offer_id);


--
-- Name: catalog_measurementrun pgtrigger_append_only_0b5cd; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_append_only_0b5cd BEFORE DELETE OR UPDATE ON public.catalog_measurementrun FOR EACH ROW EXECUTE FUNCTION public.pgtrigger_append_only_0b5cd();


--
-- Name: catalog_tokenprice pgtrigger_append_only_0e083; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_append_only_0e083 BEFORE DELETE OR UPDATE ON public.catalog_tokenprice FOR EACH ROW EXECUTE FUNCTION public.pgtrigger_append_only_0e083();


--
-- Name: catalog_purchaseprice pgtrigger_append_only_1df64; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_append_only_1df64 BEFORE DELETE OR UPDATE ON public.catalog_purchaseprice FOR EACH ROW EXECUTE FUNCTION public.pgtrigger_append_only_1df64();


--
-- Name: catalog_pricequote pgtrigger_append_only_50a71; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_append_only_50a71 BEFORE DELETE OR UPDATE ON public.catalog_pricequote FOR EACH ROW EXECUTE FUNCTION public.pgtrigger_append_only_50a71();


--
-- Name: catalog_measuredvalue pgtrigger_append_only_b31aa; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_append_only_b31aa BEFORE DELETE OR UPDATE ON public.catalog_measuredvalue FOR EACH ROW EXECUTE FUNCTION public.pgtrigger_append_only_b31aa();


--
-- Name: catalog_accelerator pgtrigger_bump_version_0e316; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_bump_version_0e316 BEFORE UPDATE ON public.catalog_accelerator FOR EACH ROW WHEN ((((old.confidence)::text IS DISTINCT FROM (new.confidence)::text) OR ((old.family)::text IS DISTINCT FROM (new.family)::text) OR ((old.form_factor)::text IS DISTINCT FROM (new.form_factor)::text) OR ((old.generation)::text IS DISTINCT FROM (new.generation)::text) OR (old.id IS DISTINCT FROM new.id) OR ((old.kind)::text IS DISTINCT FROM (new.kind)::text) OR (old.launch_price_usd IS DISTINCT FROM new.launch_price_usd) OR (old.memory_bandwidth_gbs IS DISTINCT FROM new.memory_bandwidth_gbs) OR (old.memory_bytes IS DISTINCT FROM new.memory_bytes) OR (old.memory_gb IS DISTINCT FROM new.memory_gb) OR (old.memory_is_sram IS DISTINCT FROM new.memory_is_sram) OR ((old.memory_type)::text IS DISTINCT FROM (new.memory_type)::text) OR (old.memory_usable_gb IS DISTINCT FROM new.memory_usable_gb) OR ((old.name)::text IS DISTINCT FROM (new.name)::text) OR (old.notes IS DISTINCT FROM new.notes) OR (old.pcie_generation IS DISTINCT FROM new.pcie_generation) OR ((old.process_node)::text IS DISTINCT FROM (new.process_node)::text) OR ((old.release_date)::text IS DISTINCT FROM (new.release_date)::text) OR ((old.segment)::text IS DISTINCT FROM (new.segment)::text) OR (old.shares_memory_with_host IS DISTINCT FROM new.shares_memory_with_host) OR ((old.slug)::text IS DISTINCT FROM (new.slug)::text) OR ((old.status)::text IS DISTINCT FROM (new.status)::text) OR (old.tdp_w IS DISTINCT FROM new.tdp_w) OR (old.vendor_id IS DISTINCT FROM new.vendor_id))) EXECUTE FUNCTION public.pgtrigger_bump_version_0e316();


--
-- Name: catalog_vendor pgtrigger_bump_version_3c7ee; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_bump_version_3c7ee BEFORE UPDATE ON public.catalog_vendor FOR EACH ROW WHEN (((old.id IS DISTINCT FROM new.id) OR (old.makes_hardware IS DISTINCT FROM new.makes_hardware) OR ((old.name)::text IS DISTINCT FROM (new.name)::text) OR (old.publishes_models IS DISTINCT FROM new.publishes_models) OR ((old.slug)::text IS DISTINCT FROM (new.slug)::text) OR ((old.website)::text IS DISTINCT FROM (new.website)::text))) EXECUTE FUNCTION public.pgtrigger_bump_version_3c7ee();


--
-- Name: catalog_languagemodel pgtrigger_bump_version_5bb8b; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_bump_version_5bb8b BEFORE UPDATE ON public.catalog_languagemodel FOR EACH ROW WHEN (((old.architecture IS DISTINCT FROM new.architecture) OR ((old.attention_kind)::text IS DISTINCT FROM (new.attention_kind)::text) OR ((old.confidence)::text IS DISTINCT FROM (new.confidence)::text) OR ((old.family)::text IS DISTINCT FROM (new.family)::text) OR ((old.hf_id)::text IS DISTINCT FROM (new.hf_id)::text) OR (old.id IS DISTINCT FROM new.id) OR (old.indexer_elements IS DISTINCT FROM new.indexer_elements) OR ((old.kind)::text IS DISTINCT FROM (new.kind)::text) OR (old.kv_fixed_bytes IS DISTINCT FROM new.kv_fixed_bytes) OR (old.kv_growing_elements IS DISTINCT FROM new.kv_growing_elements) OR (old.kv_window_elements IS DISTINCT FROM new.kv_window_elements) OR ((old.licence)::text IS DISTINCT FROM (new.licence)::text) OR (old.max_context IS DISTINCT FROM new.max_context) OR ((old.name)::text IS DISTINCT FROM (new.name)::text) OR ((old.native_format)::text IS DISTINCT FROM (new.native_format)::text) OR (old.notes IS DISTINCT FROM new.notes) OR (old.parameters_active IS DISTINCT FROM new.parameters_active) OR (old.parameters_active_without_embedding IS DISTINCT FROM new.parameters_active_without_embedding) OR (old.parameters_mtp IS DISTINCT FROM new.parameters_mtp) OR (old.parameters_total IS DISTINCT FROM new.parameters_total) OR (old.published_active_parameters IS DISTINCT FROM new.published_active_parameters) OR (old.published_parameters IS DISTINCT FROM new.published_parameters) OR (old.publisher_id IS DISTINCT FROM new.publisher_id) OR (old.quantisation IS DISTINCT FROM new.quantisation) OR ((old.release_date)::text IS DISTINCT FROM (new.release_date)::text) OR ((old.role)::text IS DISTINCT FROM (new.role)::text) OR ((old.slug)::text IS DISTINCT FROM (new.slug)::text))) EXECUTE FUNCTION public.pgtrigger_bump_version_5bb8b();


--
-- Name: catalog_system pgtrigger_bump_version_ab2b9; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_bump_version_ab2b9 BEFORE UPDATE ON public.catalog_system FOR EACH ROW WHEN (((old.accelerator_id IS DISTINCT FROM new.accelerator_id) OR (old.accelerator_count IS DISTINCT FROM new.accelerator_count) OR ((old.fabric)::text IS DISTINCT FROM (new.fabric)::text) OR ((old.form)::text IS DISTINCT FROM (new.form)::text) OR ((old.host_cpu)::text IS DISTINCT FROM (new.host_cpu)::text) OR (old.host_memory_gb IS DISTINCT FROM new.host_memory_gb) OR (old.id IS DISTINCT FROM new.id) OR ((old.name)::text IS DISTINCT FROM (new.name)::text) OR (old.notes IS DISTINCT FROM new.notes) OR (old.power_kw IS DISTINCT FROM new.power_kw) OR (old.scale_out_gbs IS DISTINCT FROM new.scale_out_gbs) OR (old.scale_up_domain IS DISTINCT FROM new.scale_up_domain) OR (old.scale_up_gbs IS DISTINCT FROM new.scale_up_gbs) OR ((old.slug)::text IS DISTINCT FROM (new.slug)::text) OR ((old.status)::text IS DISTINCT FROM (new.status)::text) OR (old.total_memory_gb IS DISTINCT FROM new.total_memory_gb) OR (old.vendor_id IS DISTINCT FROM new.vendor_id))) EXECUTE FUNCTION public.pgtrigger_bump_version_ab2b9();


--
-- Name: catalog_workload pgtrigger_bump_version_c2a58; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_bump_version_c2a58 BEFORE UPDATE ON public.catalog_workload FOR EACH ROW WHEN (((old.edge_only IS DISTINCT FROM new.edge_only) OR (old.id IS DISTINCT FROM new.id) OR (old.isl IS DISTINCT FROM new.isl) OR ((old.name)::text IS DISTINCT FROM (new.name)::text) OR (old.osl IS DISTINCT FROM new.osl) OR (old.percentile IS DISTINCT FROM new.percentile) OR (old."position" IS DISTINCT FROM new."position") OR (old.prefix_share IS DISTINCT FROM new.prefix_share) OR (old.reason IS DISTINCT FROM new.reason) OR ((old.slug)::text IS DISTINCT FROM (new.slug)::text) OR (old.tpot_limit_ms IS DISTINCT FROM new.tpot_limit_ms) OR (old.ttft_limit_ms IS DISTINCT FROM new.ttft_limit_ms))) EXECUTE FUNCTION public.pgtrigger_bump_version_c2a58();


--
-- Name: catalog_memorytier pgtrigger_delete_delete_1dfab; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_delete_delete_1dfab AFTER DELETE ON public.catalog_memorytier REFERENCING OLD TABLE AS old_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_delete_delete_1dfab();


--
-- Name: catalog_figure pgtrigger_delete_delete_26887; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_delete_delete_26887 AFTER DELETE ON public.catalog_figure REFERENCING OLD TABLE AS old_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_delete_delete_26887();


--
-- Name: catalog_accelerator pgtrigger_delete_delete_4dde8; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_delete_delete_4dde8 AFTER DELETE ON public.catalog_accelerator REFERENCING OLD TABLE AS old_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_delete_delete_4dde8();


--
-- Name: catalog_peakrate pgtrigger_delete_delete_5a4a5; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_delete_delete_5a4a5 AFTER DELETE ON public.catalog_peakrate REFERENCING OLD TABLE AS old_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_delete_delete_5a4a5();


--
-- Name: catalog_system pgtrigger_delete_delete_6af56; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_delete_delete_6af56 AFTER DELETE ON public.catalog_system REFERENCING OLD TABLE AS old_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_delete_delete_6af56();


--
-- Name: catalog_source pgtrigger_delete_delete_903bd; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_delete_delete_903bd AFTER DELETE ON public.catalog_source REFERENCING OLD TABLE AS old_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_delete_delete_903bd();


--
-- Name: catalog_vendor pgtrigger_delete_delete_96001; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_delete_delete_96001 AFTER DELETE ON public.catalog_vendor REFERENCING OLD TABLE AS old_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_delete_delete_96001();


--
-- Name: catalog_languagemodel pgtrigger_delete_delete_9713d; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_delete_delete_9713d AFTER DELETE ON public.catalog_languagemodel REFERENCING OLD TABLE AS old_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_delete_delete_9713d();


--
-- Name: catalog_workload pgtrigger_delete_delete_9c92d; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_delete_delete_9c92d AFTER DELETE ON public.catalog_workload REFERENCING OLD TABLE AS old_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_delete_delete_9c92d();


--
-- Name: catalog_publishedclaim pgtrigger_delete_delete_bf867; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_delete_delete_bf867 AFTER DELETE ON public.catalog_publishedclaim REFERENCING OLD TABLE AS old_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_delete_delete_bf867();


--
-- Name: catalog_provider pgtrigger_delete_delete_ca086; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_delete_delete_ca086 AFTER DELETE ON public.catalog_provider REFERENCING OLD TABLE AS old_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_delete_delete_ca086();


--
-- Name: catalog_link pgtrigger_delete_delete_e443b; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_delete_delete_e443b AFTER DELETE ON public.catalog_link REFERENCING OLD TABLE AS old_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_delete_delete_e443b();


--
-- Name: catalog_vendor pgtrigger_insert_insert_11b93; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_insert_insert_11b93 AFTER INSERT ON public.catalog_vendor REFERENCING NEW TABLE AS new_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_insert_insert_11b93();


--
-- Name: catalog_system pgtrigger_insert_insert_238be; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_insert_insert_238be AFTER INSERT ON public.catalog_system REFERENCING NEW TABLE AS new_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_insert_insert_238be();


--
-- Name: catalog_accelerator pgtrigger_insert_insert_2c964; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_insert_insert_2c964 AFTER INSERT ON public.catalog_accelerator REFERENCING NEW TABLE AS new_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_insert_insert_2c964();


--
-- Name: catalog_languagemodel pgtrigger_insert_insert_3650d; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_insert_insert_3650d AFTER INSERT ON public.catalog_languagemodel REFERENCING NEW TABLE AS new_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_insert_insert_3650d();


--
-- Name: catalog_workload pgtrigger_insert_insert_457ab; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_insert_insert_457ab AFTER INSERT ON public.catalog_workload REFERENCING NEW TABLE AS new_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_insert_insert_457ab();


--
-- Name: catalog_figure pgtrigger_insert_insert_60a25; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_insert_insert_60a25 AFTER INSERT ON public.catalog_figure REFERENCING NEW TABLE AS new_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_insert_insert_60a25();


--
-- Name: catalog_peakrate pgtrigger_insert_insert_7ada2; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_insert_insert_7ada2 AFTER INSERT ON public.catalog_peakrate REFERENCING NEW TABLE AS new_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_insert_insert_7ada2();


--
-- Name: catalog_provider pgtrigger_insert_insert_987f8; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_insert_insert_987f8 AFTER INSERT ON public.catalog_provider REFERENCING NEW TABLE AS new_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_insert_insert_987f8();


--
-- Name: catalog_link pgtrigger_insert_insert_9b411; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_insert_insert_9b411 AFTER INSERT ON public.catalog_link REFERENCING NEW TABLE AS new_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_insert_insert_9b411();


--
-- Name: catalog_publishedclaim pgtrigger_insert_insert_a2857; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_insert_insert_a2857 AFTER INSERT ON public.catalog_publishedclaim REFERENCING NEW TABLE AS new_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_insert_insert_a2857();


--
-- Name: catalog_source pgtrigger_insert_insert_b96d2; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_insert_insert_b96d2 AFTER INSERT ON public.catalog_source REFERENCING NEW TABLE AS new_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_insert_insert_b96d2();


--
-- Name: catalog_memorytier pgtrigger_insert_insert_bd93e; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_insert_insert_bd93e AFTER INSERT ON public.catalog_memorytier REFERENCING NEW TABLE AS new_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_insert_insert_bd93e();


--
-- Name: catalog_link pgtrigger_touch_accelerator_delete_46311; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_touch_accelerator_delete_46311 AFTER DELETE ON public.catalog_link REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_touch_accelerator_delete_46311();


--
-- Name: catalog_offer pgtrigger_touch_accelerator_delete_799c4; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_touch_accelerator_delete_799c4 AFTER DELETE ON public.catalog_offer REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_touch_accelerator_delete_799c4();


--
-- Name: catalog_figure pgtrigger_touch_accelerator_delete_ed6f9; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_touch_accelerator_delete_ed6f9 AFTER DELETE ON public.catalog_figure REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_touch_accelerator_delete_ed6f9();


--
-- Name: catalog_peakrate pgtrigger_touch_accelerator_delete_f0189; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_touch_accelerator_delete_f0189 AFTER DELETE ON public.catalog_peakrate REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_touch_accelerator_delete_f0189();


--
-- Name: catalog_memorytier pgtrigger_touch_accelerator_delete_f5637; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_touch_accelerator_delete_f5637 AFTER DELETE ON public.catalog_memorytier REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_touch_accelerator_delete_f5637();


--
-- Name: catalog_offer pgtrigger_touch_accelerator_insert_20fe2; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_touch_accelerator_insert_20fe2 AFTER INSERT ON public.catalog_offer REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_touch_accelerator_insert_20fe2();


--
-- Name: catalog_figure pgtrigger_touch_accelerator_insert_c8a41; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_touch_accelerator_insert_c8a41 AFTER INSERT ON public.catalog_figure REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_touch_accelerator_insert_c8a41();


--
-- Name: catalog_memorytier pgtrigger_touch_accelerator_insert_f0c95; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_touch_accelerator_insert_f0c95 AFTER INSERT ON public.catalog_memorytier REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_touch_accelerator_insert_f0c95();


--
-- Name: catalog_peakrate pgtrigger_touch_accelerator_insert_f9e6f; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_touch_accelerator_insert_f9e6f AFTER INSERT ON public.catalog_peakrate REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_touch_accelerator_insert_f9e6f();


--
-- Name: catalog_link pgtrigger_touch_accelerator_insert_fc833; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_touch_accelerator_insert_fc833 AFTER INSERT ON public.catalog_link REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_touch_accelerator_insert_fc833();


--
-- Name: catalog_memorytier pgtrigger_touch_accelerator_update_002cf; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_touch_accelerator_update_002cf AFTER UPDATE ON public.catalog_memorytier REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_touch_accelerator_update_002cf();


--
-- Name: catalog_offer pgtrigger_touch_accelerator_update_060fa; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_touch_accelerator_update_060fa AFTER UPDATE ON public.catalog_offer REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_touch_accelerator_update_060fa();


--
-- Name: catalog_figure pgtrigger_touch_accelerator_update_0dd14; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_touch_accelerator_update_0dd14 AFTER UPDATE ON public.catalog_figure REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_touch_accelerator_update_0dd14();


--
-- Name: catalog_peakrate pgtrigger_touch_accelerator_update_eb3c2; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_touch_accelerator_update_eb3c2 AFTER UPDATE ON public.catalog_peakrate REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_touch_accelerator_update_eb3c2();


--
-- Name: catalog_link pgtrigger_touch_accelerator_update_f3fd2; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_touch_accelerator_update_f3fd2 AFTER UPDATE ON public.catalog_link REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_touch_accelerator_update_f3fd2();


--
-- Name: catalog_provider pgtrigger_update_update_25ad7; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_update_update_25ad7 AFTER UPDATE ON public.catalog_provider REFERENCING OLD TABLE AS old_values NEW TABLE AS new_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_update_update_25ad7();


--
-- Name: catalog_languagemodel pgtrigger_update_update_2c1fa; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_update_update_2c1fa AFTER UPDATE ON public.catalog_languagemodel REFERENCING OLD TABLE AS old_values NEW TABLE AS new_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_update_update_2c1fa();


--
-- Name: catalog_link pgtrigger_update_update_3c8ac; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_update_update_3c8ac AFTER UPDATE ON public.catalog_link REFERENCING OLD TABLE AS old_values NEW TABLE AS new_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_update_update_3c8ac();


--
-- Name: catalog_accelerator pgtrigger_update_update_4c723; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_update_update_4c723 AFTER UPDATE ON public.catalog_accelerator REFERENCING OLD TABLE AS old_values NEW TABLE AS new_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_update_update_4c723();


--
-- Name: catalog_memorytier pgtrigger_update_update_5fe80; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_update_update_5fe80 AFTER UPDATE ON public.catalog_memorytier REFERENCING OLD TABLE AS old_values NEW TABLE AS new_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_update_update_5fe80();


--
-- Name: catalog_figure pgtrigger_update_update_6b089; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_update_update_6b089 AFTER UPDATE ON public.catalog_figure REFERENCING OLD TABLE AS old_values NEW TABLE AS new_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_update_update_6b089();


--
-- Name: catalog_peakrate pgtrigger_update_update_83327; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_update_update_83327 AFTER UPDATE ON public.catalog_peakrate REFERENCING OLD TABLE AS old_values NEW TABLE AS new_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_update_update_83327();


--
-- Name: catalog_workload pgtrigger_update_update_83938; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_update_update_83938 AFTER UPDATE ON public.catalog_workload REFERENCING OLD TABLE AS old_values NEW TABLE AS new_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_update_update_83938();


--
-- Name: catalog_source pgtrigger_update_update_9fccd; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_update_update_9fccd AFTER UPDATE ON public.catalog_source REFERENCING OLD TABLE AS old_values NEW TABLE AS new_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_update_update_9fccd();


--
-- Name: catalog_vendor pgtrigger_update_update_caaa4; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_update_update_caaa4 AFTER UPDATE ON public.catalog_vendor REFERENCING OLD TABLE AS old_values NEW TABLE AS new_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_update_update_caaa4();


--
-- Name: catalog_system pgtrigger_update_update_f4af3; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_update_update_f4af3 AFTER UPDATE ON public.catalog_system REFERENCING OLD TABLE AS old_values NEW TABLE AS new_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_update_update_f4af3();


--
-- Name: catalog_publishedclaim pgtrigger_update_update_ff815; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER pgtrigger_update_update_ff815 AFTER UPDATE ON public.catalog_publishedclaim REFERENCING OLD TABLE AS old_values NEW TABLE AS new_values FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_update_update_ff815();


--
-- Name: access_accesstoken access_accesstoken_owner_id_059bd825_fk_auth_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.access_accesstoken
    ADD CONSTRAINT access_accesstoken_owner_id_059bd825_fk_auth_user_id FOREIGN KEY (owner_id) REFERENCES public.auth_user(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: auth_group_permissions auth_group_permissio_permission_id_84c5c92e_fk_auth_perm; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissio_permission_id_84c5c92e_fk_auth_perm FOREIGN KEY (permission_id) REFERENCES public.auth_permission(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: auth_group_permissions auth_group_permissions_group_id_b120cbf9_fk_auth_group_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissions_group_id_b120cbf9_fk_auth_group_id FOREIGN KEY (group_id) REFERENCES public.auth_group(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: auth_permission auth_permission_content_type_id_2f476e4b_fk_django_co; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_permission
    ADD CONSTRAINT auth_permission_content_type_id_2f476e4b_fk_django_co FOREIGN KEY (content_type_id) REFERENCES public.django_content_type(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: auth_user_groups auth_user_groups_group_id_97559544_fk_auth_group_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_user_groups
    ADD CONSTRAINT auth_user_groups_group_id_97559544_fk_auth_group_id FOREIGN KEY (group_id) REFERENCES public.auth_group(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: auth_user_groups auth_user_groups_user_id_6a12ed8b_fk_auth_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_user_groups
    ADD CONSTRAINT auth_user_groups_user_id_6a12ed8b_fk_auth_user_id FOREIGN KEY (user_id) REFERENCES public.auth_user(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: auth_user_user_permissions auth_user_user_permi_permission_id_1fbb5f2c_fk_auth_perm; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_user_user_permissions
    ADD CONSTRAINT auth_user_user_permi_permission_id_1fbb5f2c_fk_auth_perm FOREIGN KEY (permission_id) REFERENCES public.auth_permission(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: auth_user_user_permissions auth_user_user_permissions_user_id_a95ead1b_fk_auth_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_user_user_permissions
    ADD CONSTRAINT auth_user_user_permissions_user_id_a95ead1b_fk_auth_user_id FOREIGN KEY (user_id) REFERENCES public.auth_user(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_accelerator catalog_accelerator_vendor_id_fb2a3611_fk_catalog_vendor_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_accelerator
    ADD CONSTRAINT catalog_accelerator_vendor_id_fb2a3611_fk_catalog_vendor_id FOREIGN KEY (vendor_id) REFERENCES public.catalog_vendor(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_figure catalog_figure_accelerator_id_34d9d07b_fk_catalog_a; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_figure
    ADD CONSTRAINT catalog_figure_accelerator_id_34d9d07b_fk_catalog_a FOREIGN KEY (accelerator_id) REFERENCES public.catalog_accelerator(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_figure catalog_figure_language_model_id_471dd286_fk_catalog_l; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_figure
    ADD CONSTRAINT catalog_figure_language_model_id_471dd286_fk_catalog_l FOREIGN KEY (language_model_id) REFERENCES public.catalog_languagemodel(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_figure catalog_figure_source_id_bf017f43_fk_catalog_source_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_figure
    ADD CONSTRAINT catalog_figure_source_id_bf017f43_fk_catalog_source_id FOREIGN KEY (source_id) REFERENCES public.catalog_source(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_figure catalog_figure_system_id_9288386c_fk_catalog_system_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_figure
    ADD CONSTRAINT catalog_figure_system_id_9288386c_fk_catalog_system_id FOREIGN KEY (system_id) REFERENCES public.catalog_system(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_figure catalog_figure_workload_id_376cfdc7_fk_catalog_workload_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_figure
    ADD CONSTRAINT catalog_figure_workload_id_376cfdc7_fk_catalog_workload_id FOREIGN KEY (workload_id) REFERENCES public.catalog_workload(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_languagemodel catalog_languagemode_publisher_id_4f88bd1b_fk_catalog_v; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_languagemodel
    ADD CONSTRAINT catalog_languagemode_publisher_id_4f88bd1b_fk_catalog_v FOREIGN KEY (publisher_id) REFERENCES public.catalog_vendor(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_link catalog_link_accelerator_id_353caa5f_fk_catalog_accelerator_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_link
    ADD CONSTRAINT catalog_link_accelerator_id_353caa5f_fk_catalog_accelerator_id FOREIGN KEY (accelerator_id) REFERENCES public.catalog_accelerator(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_measuredvalue catalog_measuredvalu_run_id_cab8d0ba_fk_catalog_m; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_measuredvalue
    ADD CONSTRAINT catalog_measuredvalu_run_id_cab8d0ba_fk_catalog_m FOREIGN KEY (run_id) REFERENCES public.catalog_measurementrun(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_measurementrun catalog_measurementr_accelerator_id_4508d760_fk_catalog_a; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_measurementrun
    ADD CONSTRAINT catalog_measurementr_accelerator_id_4508d760_fk_catalog_a FOREIGN KEY (accelerator_id) REFERENCES public.catalog_accelerator(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_measurementrun catalog_measurementr_language_model_id_6f785475_fk_catalog_l; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_measurementrun
    ADD CONSTRAINT catalog_measurementr_language_model_id_6f785475_fk_catalog_l FOREIGN KEY (language_model_id) REFERENCES public.catalog_languagemodel(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_measurementrun catalog_measurementrun_source_id_d8759ee7_fk_catalog_source_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_measurementrun
    ADD CONSTRAINT catalog_measurementrun_source_id_d8759ee7_fk_catalog_source_id FOREIGN KEY (source_id) REFERENCES public.catalog_source(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_memorytier catalog_memorytier_accelerator_id_8bac1f4f_fk_catalog_a; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_memorytier
    ADD CONSTRAINT catalog_memorytier_accelerator_id_8bac1f4f_fk_catalog_a FOREIGN KEY (accelerator_id) REFERENCES public.catalog_accelerator(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_modelalias catalog_modelalias_language_model_id_d7979edd_fk_catalog_l; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_modelalias
    ADD CONSTRAINT catalog_modelalias_language_model_id_d7979edd_fk_catalog_l FOREIGN KEY (language_model_id) REFERENCES public.catalog_languagemodel(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_offer catalog_offer_accelerator_id_53eaa098_fk_catalog_accelerator_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_offer
    ADD CONSTRAINT catalog_offer_accelerator_id_53eaa098_fk_catalog_accelerator_id FOREIGN KEY (accelerator_id) REFERENCES public.catalog_accelerator(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_peakrate catalog_peakrate_accelerator_id_5a4dd5f4_fk_catalog_a; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_peakrate
    ADD CONSTRAINT catalog_peakrate_accelerator_id_5a4dd5f4_fk_catalog_a FOREIGN KEY (accelerator_id) REFERENCES public.catalog_accelerator(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_pricequote catalog_pricequote_accelerator_id_cbcf2283_fk_catalog_a; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_pricequote
    ADD CONSTRAINT catalog_pricequote_accelerator_id_cbcf2283_fk_catalog_a FOREIGN KEY (accelerator_id) REFERENCES public.catalog_accelerator(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_pricequote catalog_pricequote_provider_id_fe43eec7_fk_catalog_provider_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_pricequote
    ADD CONSTRAINT catalog_pricequote_provider_id_fe43eec7_fk_catalog_provider_id FOREIGN KEY (provider_id) REFERENCES public.catalog_provider(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_pricequote catalog_pricequote_source_id_9d473ddd_fk_catalog_source_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_pricequote
    ADD CONSTRAINT catalog_pricequote_source_id_9d473ddd_fk_catalog_source_id FOREIGN KEY (source_id) REFERENCES public.catalog_source(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_publishedclaim catalog_publishedcla_accelerator_id_44fcd42d_fk_catalog_a; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_publishedclaim
    ADD CONSTRAINT catalog_publishedcla_accelerator_id_44fcd42d_fk_catalog_a FOREIGN KEY (accelerator_id) REFERENCES public.catalog_accelerator(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_publishedclaim catalog_publishedcla_language_model_id_e4dd5d3b_fk_catalog_l; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_publishedclaim
    ADD CONSTRAINT catalog_publishedcla_language_model_id_e4dd5d3b_fk_catalog_l FOREIGN KEY (language_model_id) REFERENCES public.catalog_languagemodel(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_publishedclaim_further_sources catalog_publishedcla_publishedclaim_id_ffa9f153_fk_catalog_p; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_publishedclaim_further_sources
    ADD CONSTRAINT catalog_publishedcla_publishedclaim_id_ffa9f153_fk_catalog_p FOREIGN KEY (publishedclaim_id) REFERENCES public.catalog_publishedclaim(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_publishedclaim_further_sources catalog_publishedcla_source_id_6d228921_fk_catalog_s; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_publishedclaim_further_sources
    ADD CONSTRAINT catalog_publishedcla_source_id_6d228921_fk_catalog_s FOREIGN KEY (source_id) REFERENCES public.catalog_source(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_publishedclaim catalog_publishedclaim_source_id_2d8005b7_fk_catalog_source_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_publishedclaim
    ADD CONSTRAINT catalog_publishedclaim_source_id_2d8005b7_fk_catalog_source_id FOREIGN KEY (source_id) REFERENCES public.catalog_source(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_publishedclaim catalog_publishedclaim_system_id_931bc2cd_fk_catalog_system_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_publishedclaim
    ADD CONSTRAINT catalog_publishedclaim_system_id_931bc2cd_fk_catalog_system_id FOREIGN KEY (system_id) REFERENCES public.catalog_system(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_purchaseprice catalog_purchasepric_accelerator_id_77562b54_fk_catalog_a; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_purchaseprice
    ADD CONSTRAINT catalog_purchasepric_accelerator_id_77562b54_fk_catalog_a FOREIGN KEY (accelerator_id) REFERENCES public.catalog_accelerator(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_purchaseprice catalog_purchaseprice_source_id_a5ef9a9f_fk_catalog_source_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_purchaseprice
    ADD CONSTRAINT catalog_purchaseprice_source_id_a5ef9a9f_fk_catalog_source_id FOREIGN KEY (source_id) REFERENCES public.catalog_source(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_system catalog_system_accelerator_id_1327d366_fk_catalog_a; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_system
    ADD CONSTRAINT catalog_system_accelerator_id_1327d366_fk_catalog_a FOREIGN KEY (accelerator_id) REFERENCES public.catalog_accelerator(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_system catalog_system_offer_id_b05674a0_fk_catalog_offer_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_system
    ADD CONSTRAINT catalog_system_offer_id_b05674a0_fk_catalog_offer_id FOREIGN KEY (offer_id) REFERENCES public.catalog_offer(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_system catalog_system_vendor_id_c9408097_fk_catalog_vendor_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_system
    ADD CONSTRAINT catalog_system_vendor_id_c9408097_fk_catalog_vendor_id FOREIGN KEY (vendor_id) REFERENCES public.catalog_vendor(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_tokenprice catalog_tokenprice_language_model_id_8fab532b_fk_catalog_l; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_tokenprice
    ADD CONSTRAINT catalog_tokenprice_language_model_id_8fab532b_fk_catalog_l FOREIGN KEY (language_model_id) REFERENCES public.catalog_languagemodel(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_tokenprice catalog_tokenprice_provider_id_04b99a1f_fk_catalog_provider_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_tokenprice
    ADD CONSTRAINT catalog_tokenprice_provider_id_04b99a1f_fk_catalog_provider_id FOREIGN KEY (provider_id) REFERENCES public.catalog_provider(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: catalog_tokenprice catalog_tokenprice_source_id_b23143b7_fk_catalog_source_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalog_tokenprice
    ADD CONSTRAINT catalog_tokenprice_source_id_b23143b7_fk_catalog_source_id FOREIGN KEY (source_id) REFERENCES public.catalog_source(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: django_admin_log django_admin_log_content_type_id_c4bce8eb_fk_django_co; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.django_admin_log
    ADD CONSTRAINT django_admin_log_content_type_id_c4bce8eb_fk_django_co FOREIGN KEY (content_type_id) REFERENCES public.django_content_type(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: django_admin_log django_admin_log_user_id_c564eba6_fk_auth_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.django_admin_log
    ADD CONSTRAINT django_admin_log_user_id_c564eba6_fk_auth_user_id FOREIGN KEY (user_id) REFERENCES public.auth_user(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: estimates_calculation estimates_calculatio_accelerator_id_8540b764_fk_catalog_a; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.estimates_calculation
    ADD CONSTRAINT estimates_calculatio_accelerator_id_8540b764_fk_catalog_a FOREIGN KEY (accelerator_id) REFERENCES public.catalog_accelerator(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: estimates_calculation estimates_calculatio_language_model_id_5c50afdb_fk_catalog_l; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.estimates_calculation
    ADD CONSTRAINT estimates_calculatio_language_model_id_5c50afdb_fk_catalog_l FOREIGN KEY (language_model_id) REFERENCES public.catalog_languagemodel(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: estimates_calculation estimates_calculatio_run_id_b641f441_fk_estimates; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.estimates_calculation
    ADD CONSTRAINT estimates_calculatio_run_id_b641f441_fk_estimates FOREIGN KEY (run_id) REFERENCES public.estimates_calculationrun(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: estimates_estimate estimates_estimate_calculation_id_7bcadfda_fk_estimates; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.estimates_estimate
    ADD CONSTRAINT estimates_estimate_calculation_id_7bcadfda_fk_estimates FOREIGN KEY (calculation_id) REFERENCES public.estimates_calculation(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: estimates_estimate estimates_estimate_language_model_id_f797571f_fk_catalog_l; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.estimates_estimate
    ADD CONSTRAINT estimates_estimate_language_model_id_f797571f_fk_catalog_l FOREIGN KEY (language_model_id) REFERENCES public.catalog_languagemodel(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: estimates_estimate estimates_estimate_offer_id_7e81725e_fk_catalog_offer_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.estimates_estimate
    ADD CONSTRAINT estimates_estimate_offer_id_7e81725e_fk_catalog_offer_id FOREIGN KEY (offer_id) REFERENCES public.catalog_offer(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: estimates_estimate estimates_estimate_workload_id_7ade6d4d_fk_catalog_workload_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.estimates_estimate
    ADD CONSTRAINT estimates_estimate_workload_id_7ade6d4d_fk_catalog_workload_id FOREIGN KEY (workload_id) REFERENCES public.catalog_workload(id) DEFERRABLE INITIALLY DEFERRED;


--
-- PostgreSQL database dump complete
--



INSERT INTO public.django_migrations VALUES (1, 'contenttypes', '0001_initial', '2026-11-22 17:39:05.441881+00');
INSERT INTO public.django_migrations VALUES (2, 'auth', '0001_initial', '2026-11-22 17:39:05.483472+00');
INSERT INTO public.django_migrations VALUES (3, 'access', '0001_initial', '2026-11-22 17:39:05.49686+00');
INSERT INTO public.django_migrations VALUES (4, 'admin', '0001_initial', '2026-11-22 17:39:05.511436+00');
INSERT INTO public.django_migrations VALUES (5, 'admin', '0002_logentry_remove_auto_add', '2026-11-22 17:39:05.521705+00');
INSERT INTO public.django_migrations VALUES (6, 'admin', '0003_logentry_add_action_flag_choices', '2026-11-22 17:39:05.535653+00');
INSERT INTO public.django_migrations VALUES (7, 'contenttypes', '0002_remove_content_type_name', '2026-11-22 17:39:05.557948+00');
INSERT INTO public.django_migrations VALUES (8, 'auth', '0002_alter_permission_name_max_length', '2026-11-22 17:39:05.570661+00');
INSERT INTO public.django_migrations VALUES (9, 'auth', '0003_alter_user_email_max_length', '2026-11-22 17:39:05.583693+00');
INSERT INTO public.django_migrations VALUES (10, 'auth', '0004_alter_user_username_opts', '2026-11-22 17:39:05.594362+00');
INSERT INTO public.django_migrations VALUES (11, 'auth', '0005_alter_user_last_login_null', '2026-11-22 17:39:05.604651+00');
INSERT INTO public.django_migrations VALUES (12, 'auth', '0006_require_contenttypes_0002', '2026-11-22 17:39:05.606211+00');
INSERT INTO public.django_migrations VALUES (13, 'auth', '0007_alter_validators_add_error_messages', '2026-11-22 17:39:05.613184+00');
INSERT INTO public.django_migrations VALUES (14, 'auth', '0008_alter_user_username_max_length', '2026-11-22 17:39:05.624333+00');
INSERT INTO public.django_migrations VALUES (15, 'auth', '0009_alter_user_last_name_max_length', '2026-11-22 17:39:05.63276+00');
INSERT INTO public.django_migrations VALUES (16, 'auth', '0010_alter_group_name_max_length', '2026-11-22 17:39:05.647319+00');
INSERT INTO public.django_migrations VALUES (17, 'auth', '0011_update_proxy_permissions', '2026-11-22 17:39:05.654612+00');
INSERT INTO public.django_migrations VALUES (18, 'auth', '0012_alter_user_first_name_max_length', '2026-11-22 17:39:05.664336+00');
INSERT INTO public.django_migrations VALUES (19, 'pghistory', '0001_initial', '2026-11-22 17:39:05.669043+00');
INSERT INTO public.django_migrations VALUES (20, 'pghistory', '0002_aggregateevent', '2026-11-22 17:39:05.671382+00');
INSERT INTO public.django_migrations VALUES (21, 'pghistory', '0003_auto_20201023_1636', '2026-11-22 17:39:05.673931+00');
INSERT INTO public.django_migrations VALUES (22, 'pghistory', '0004_auto_20220906_1625', '2026-11-22 17:39:05.684836+00');
INSERT INTO public.django_migrations VALUES (23, 'pghistory', '0005_events_middlewareevents', '2026-11-22 17:39:05.68852+00');
INSERT INTO public.django_migrations VALUES (24, 'pghistory', '0006_delete_aggregateevent', '2026-11-22 17:39:05.690145+00');
INSERT INTO public.django_migrations VALUES (25, 'pghistory', '0007_auto_20250421_0444', '2026-11-22 17:39:05.698424+00');
INSERT INTO public.django_migrations VALUES (26, 'catalog', '0001_initial', '2026-11-22 17:39:12.270201+00');
INSERT INTO public.django_migrations VALUES (27, 'estimates', '0001_initial', '2026-11-22 17:39:12.605339+00');
INSERT INTO public.django_migrations VALUES (28, 'sessions', '0001_initial', '2026-11-22 17:39:12.613539+00');
SELECT pg_catalog.setval('public.django_migrations_id_seq', 28, true);
